"""Checks of the ledger: reachable, writable, the pinned one, with its key; also lists lease holders. Writes nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from syncengine.checking.check import Check
from syncengine.core.errors import SyncError
from syncengine.core.host_and_ledger import check_host
from syncengine.core.ports import Clock, LedgerIdentity, LedgerView
from syncengine.core.settings import Account, LedgerPin
from syncengine.ledger import open_ledger, open_view

_FILE = "sqlite:///"


def ledger_checks(pin: LedgerPin, accounts: list[Account], *, root: Path, clock: Clock) -> Iterator[Check]:
    """All checks of the ledger and of these accounts in it."""
    try:
        ledger = open_view(pin, root=root, clock=clock)
    except SyncError as error:
        yield Check(name="ledger", state="problem", message=error.message, advice=error.hint)
        return
    if ledger is None:
        yield _missing(pin, accounts)
        return
    with closing(ledger):
        identity = ledger.identity()
        yield Check(
            name="ledger", state="ok", message=f"{identity.id} at {identity.url}, position {identity.position:,}"
        )
        yield _pinned(pin, identity, accounts)
        yield from _key(pin, identity, root)
        yield _writable(pin, root, clock)
        for account in accounts:
            yield _host(account, ledger)
            yield _lease(account, ledger)


def _missing(pin: LedgerPin, accounts: list[Account]) -> Check:
    if pin.id is None and all(account.is_loopback for account in accounts):
        return Check(
            name="ledger",
            state="warning",
            message=f"there is no ledger at {pin.url} yet",
            advice="the first apply makes it; nothing is to be done",
        )
    return Check(
        name="ledger",
        state="problem",
        message=f"there is no ledger at {pin.url}" + (f", and {pin.id} is pinned" if pin.id else ""),
        advice="bring it back from a backup: an empty one would send things twice"
        if pin.id
        else "run `syncengine init`",
    )


def _pinned(pin: LedgerPin, identity: LedgerIdentity, accounts: list[Account]) -> Check:
    line = f'`id: "{identity.id}@{identity.position}"` under ledger'
    if pin.id is None:
        outside = [account.name for account in accounts if not account.is_loopback]
        return Check(
            name="pin",
            state="problem" if outside else "warning",
            message="the configuration does not pin its ledger"
            + (f", and apply refuses {', '.join(outside)} without" if outside else ""),
            advice=f"if this is the ledger that knows what was sent, write {line}",
        )
    if pin.position is None:
        return Check(
            name="pin",
            state="ok",
            message=f"{pin.id} is pinned, without a position",
            advice=f"with one, a restored backup would be noticed: {line}",
        )
    behind = identity.position - pin.position
    return Check(
        name="pin",
        state="ok",
        message=f"{pin.id} is pinned from position {pin.position:,}, {behind:,} behind the ledger's",
        advice=f"commit {line}" if behind else "",
    )


def _key(pin: LedgerPin, identity: LedgerIdentity, root: Path) -> Iterator[Check]:
    path = root / pin.key_path
    if identity.key != "right":
        yield Check(
            name="ledger key",
            state="problem",
            message=f"the ledger's key at {path} is {'missing' if identity.key == 'missing' else 'another one'}: "
            "it is not known what was applied, and apply refuses",
            advice="bring the key file back, or replace it on purpose with `syncengine ledger migrate --rekey`",
        )
        return
    try:
        mode = path.stat().st_mode
    except OSError:
        mode = 0
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield Check(
            name="ledger key",
            state="warning",
            message=f"{path} is open to other users",
            advice=f"chmod 600 {path}",
        )
        return
    yield Check(
        name="ledger key", state="ok", message="it is this ledger's", advice="keep a copy of it apart from the ledger"
    )


def _writable(pin: LedgerPin, root: Path, clock: Clock) -> Check:
    fault = ""
    if pin.url.startswith(_FILE):
        path = root / pin.url.removeprefix(_FILE)
        fault = next(
            (
                f"{place} cannot be written by this user"
                for place in (path, path.parent)
                if not os.access(place, os.W_OK)
            ),
            "",
        )
    try:
        if not fault:
            with closing(open_ledger(pin, root=root, clock=clock)) as ledger:
                ledger.engine.write(lambda: None)
    except SyncError as error:
        fault = error.message
    if fault:
        return Check(
            name="writable",
            state="problem",
            message=f"the ledger cannot be written: {fault}",
            advice="give this user the right to write it, or apply as another",
        )
    return Check(name="writable", state="ok", message="the ledger can be written")


def _host(account: Account, ledger: LedgerView) -> Check:
    try:
        check_host(account, ledger.hosts())
    except SyncError as error:
        return Check(name="host", account=account.name, state="problem", message=error.message, advice=error.hint)
    return Check(name="host", account=account.name, state="ok", message=f"{account.host} is right for this ledger")


def _lease(account: Account, ledger: LedgerView) -> Check:
    live = [run for run in ledger.runs(account.identity) if run.live]
    if not live:
        return Check(name="lease", account=account.name, state="ok", message="no run is applying")
    held = "; ".join(f"run {run.run} on {run.host} (process {run.pid}) since {run.started[:19]}" for run in live[:5])
    return Check(
        name="lease",
        account=account.name,
        state="ok",
        message=f"held by {held}",
        advice=f"wait for it with --lock-timeout, or stop it: syncengine cancel {live[0].run}",
    )
