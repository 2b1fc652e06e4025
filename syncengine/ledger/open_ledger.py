"""Creates, opens and migrates the ledger that a configuration names."""

from __future__ import annotations

import getpass
import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import msgspec

from syncengine.core.errors import WrongLedger
from syncengine.core.ports import Clock
from syncengine.core.settings import LedgerPin
from syncengine.ledger.address import FileAddress, ServerAddress, parse_address
from syncengine.ledger.chain import append_to
from syncengine.ledger.damage import blaming_damage
from syncengine.ledger.engine import Applicant, Engine, Leases
from syncengine.ledger.file_leases import FileLeases
from syncengine.ledger.key import ValueForms, ensure_key, read_key
from syncengine.ledger.migrations import current_version, migrate, note_structure, require_current
from syncengine.ledger.operations import Ledger
from syncengine.ledger.position_marks import read_marks
from syncengine.ledger.record_encoding import event_content
from syncengine.ledger.sqlite import SqliteEngine, create_file, open_file

if TYPE_CHECKING:
    from syncengine.ledger.postgres import PostgresEngine

Token = Callable[[int], str]

LEASE_SECONDS = 30.0
"""Maximum time for which the lease of a vanished runner stays taken on PostgreSQL."""


def open_view(pin: LedgerPin, *, root: Path, clock: Clock) -> Ledger | None:
    """The ledger opened for reading, or None where there is none; never creates or writes anything.

    Raises WrongLedger where it is not the pinned ledger, or is behind the pinned position.
    """
    applicant = _applicant(clock, secrets.token_hex)
    address = parse_address(pin.url, root)
    match address:
        case FileAddress(path=path):
            if not path.exists():
                return None
            return _checked(_file_ledger(open_file(path, read_only=True), pin, root, applicant), pin)
        case ServerAddress():
            from syncengine.ledger.postgres import open_server

            engine = open_server(address, read_only=True)
            if engine is None:
                return None
            return _checked(_server_ledger(engine, pin, root, applicant, LEASE_SECONDS), pin)
        case _:
            assert_never(address)


def open_ledger(
    pin: LedgerPin,
    *,
    root: Path,
    clock: Clock,
    token: Token = secrets.token_hex,
    lease_seconds: float = LEASE_SECONDS,
) -> Ledger:
    """The ledger opened for writing. Raises WrongLedger where it is missing, not pinned, or behind the pinned position.

    `lease_seconds` is how long a lease on PostgreSQL outlives its holder; on SQLite it ends with the process.
    """
    return _checked(_open(pin, root, clock, token, lease_seconds), pin)


def _open(pin: LedgerPin, root: Path, clock: Clock, token: Token, lease_seconds: float = LEASE_SECONDS) -> Ledger:
    applicant = _applicant(clock, token)
    address = parse_address(pin.url, root)
    match address:
        case FileAddress(path=path):
            if not path.exists():
                raise _missing(str(path), pin)
            return _file_ledger(open_file(path, read_only=False), pin, root, applicant)
        case ServerAddress(shown=shown):
            from syncengine.ledger.postgres import open_server

            engine = open_server(address, read_only=False)
            if engine is None:
                raise _missing(shown, pin)
            return _server_ledger(engine, pin, root, applicant, lease_seconds)
        case _:
            assert_never(address)


def create_ledger(pin: LedgerPin, *, root: Path, clock: Clock, token: Token = secrets.token_hex) -> Ledger:
    """A new, empty ledger and its key file. Raises WrongLedger where one exists already, or where the pin names one."""
    if pin.id is not None:
        raise WrongLedger(
            f"syncengine.yaml pins ledger {pin.id}, which is not at {pin.url}; a new ledger would not be that one",
            hint="restore the pinned ledger, or remove `ledger.id` if nothing was ever applied with it",
        )
    applicant = _applicant(clock, token)
    address = parse_address(pin.url, root)
    key = ensure_key(_key_path(pin, root), token)
    forms = ValueForms(plain=pin.values == "plain", key=key)

    def fill(engine: Engine) -> None:
        _fill(engine, forms, applicant)

    match address:
        case FileAddress(path=path):
            create_file(path, fill)
        case ServerAddress():
            from syncengine.ledger.postgres import create_on_server

            create_on_server(address, fill)
        case _:
            assert_never(address)
    return _open(pin, root, clock, token)


def open_behind(pin: LedgerPin, *, root: Path, clock: Clock, token: Token = secrets.token_hex) -> Ledger:
    """The pinned ledger for writing, whatever its position, for a user who accepts that it lost records."""
    ledger = _open(pin, root, clock, token)
    return _checked(ledger, msgspec.structs.replace(pin, position=None))


def known_before(pin: LedgerPin, *, root: Path) -> dict[str, int]:
    """Ids of ledgers that were at this path, with the highest known position of each. Empty for a server."""
    address = parse_address(pin.url, root)
    return read_marks(address.path) if isinstance(address, FileAddress) else {}


def migrate_ledger(pin: LedgerPin, *, root: Path) -> list[int]:
    """Migrate an older ledger to this program's schema. Returns the versions applied, none where it was current."""
    address = parse_address(pin.url, root)
    match address:
        case FileAddress(path=path):
            if not path.exists():
                raise _missing(str(path), pin)
            engine: Engine = open_file(path, read_only=False)
        case ServerAddress(shown=shown):
            from syncengine.ledger.postgres import open_server

            found = open_server(address, read_only=False)
            if found is None:
                raise _missing(shown, pin)
            engine = found
        case _:
            assert_never(address)
    try:
        return migrate(engine)
    finally:
        engine.close()


def _fill(engine: Engine, forms: ValueForms, applicant: Applicant) -> None:
    ledger_id = f"L{applicant.token(10)}"
    now = applicant.clock.now()
    meta = {
        "id": ledger_id,
        "schema": str(current_version()),
        "key_check": forms.check_value(ledger_id),
        "created": now,
    }
    for name, value in meta.items():
        engine.run("set_meta", name=name, value=value)
    if engine.dialect == "postgres":
        engine.run("set_meta", name="position", value="0")
    note_structure(engine)
    event = (applicant.token(8), "", "created", applicant.holder, "", ledger_id, now)
    engine.many("insert_event", [event])
    append_to(engine, "", "", [("event", event[0], event_content(event))])


def _applicant(clock: Clock, token: Token) -> Applicant:
    return Applicant(holder=_user(), host=socket.gethostname(), pid=os.getpid(), clock=clock, token=token)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def _key_path(pin: LedgerPin, root: Path) -> Path:
    return root / pin.key_path


def _file_ledger(engine: SqliteEngine, pin: LedgerPin, root: Path, applicant: Applicant) -> Ledger:
    return _built(engine, FileLeases(engine, engine.path, applicant), pin, root, applicant)


def _server_ledger(
    engine: PostgresEngine, pin: LedgerPin, root: Path, applicant: Applicant, lease_seconds: float
) -> Ledger:
    from syncengine.ledger.timed_leases import TimedLeases

    return _built(engine, TimedLeases(engine, applicant, lease_seconds), pin, root, applicant)


def _built(engine: Engine, leases: Leases, pin: LedgerPin, root: Path, applicant: Applicant) -> Ledger:
    try:
        with blaming_damage(engine):
            require_current(engine)
            key_path = _key_path(pin, root)
            forms = ValueForms(plain=pin.values == "plain", key=read_key(key_path))
            return Ledger(engine, leases, forms, applicant, key_path)
    except BaseException:
        engine.close()
        raise


def _missing(where: str, pin: LedgerPin) -> WrongLedger:
    pinned = f" (pinned: {pin.id})" if pin.id else ""
    return WrongLedger(
        f"there is no ledger at {where}{pinned}",
        hint="restore it from a backup; for a first use, `syncengine init` makes one",
    )


def _checked(ledger: Ledger, pin: LedgerPin) -> Ledger:
    try:
        with blaming_damage(ledger.engine):
            _check_pin(ledger, pin)
    except BaseException:
        ledger.close()
        raise
    return ledger


def _check_pin(ledger: Ledger, pin: LedgerPin) -> None:
    identity = ledger.identity()
    if pin.id is not None and identity.id != pin.id:
        raise WrongLedger(
            f"the ledger at {identity.url} is {identity.id}, but syncengine.yaml pins {pin.id}",
            hint="point `ledger.url` at the pinned ledger; what it knows must not be sent again",
        )
    if pin.position is not None and identity.position < pin.position:
        raise WrongLedger(
            f"ledger {identity.id} is at position {identity.position}, behind the pinned {pin.position}: "
            "it lost records, as after restoring a backup",
            hint="bring the newest copy back; what it knows must not be sent again",
        )
