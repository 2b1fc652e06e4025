"""Checks that plan and apply run first: the ledger and the host are the expected ones. See docs/ledger.md."""

from __future__ import annotations

from collections.abc import Mapping

from syncengine.core.errors import WrongLedger
from syncengine.core.ports import LedgerIdentity
from syncengine.core.settings import Account, LedgerPin

LOOPBACK = "loopback"


def check_host(account: Account, hosts: Mapping[str, str]) -> None:
    """Check the account's host against the first one on record. `hosts` maps account identities to the host each was
    first applied on. Raises WrongLedger."""
    recorded = hosts.get(account.identity)
    if recorded is not None:
        if recorded == account.host or recorded in account.hosts:
            return
        raise WrongLedger(
            f"account {account.name} was first applied on {recorded}, and base_url now names {account.host}",
            code="SE653",
            hint=_host_hint(recorded),
        )
    if account.host == LOOPBACK:
        return
    for other, host in hosts.items():
        if host == account.host or host in account.hosts:
            raise WrongLedger(
                f"the ledger knows host {host} as account {other}, and this configuration calls it {account.name}",
                code="SE654",
                hint=f"if it was renamed, add 'was: {other}' to account {account.name}",
            )


def _host_hint(recorded: str) -> str:
    if recorded == LOOPBACK:
        return "what was tried on a sandbox does not count as done: use a configuration and ledger of their own for it"
    return f"if both are the same LeadByte account, list the old one: 'hosts: [{recorded}]'"


def check_applicable(account: Account, pin: LedgerPin, ledger: LedgerIdentity) -> None:
    """Applying beyond loopback requires a pinned ledger; applying at all requires the ledger's key. Raises WrongLedger.

    Opening the ledger checks that it is the pinned one.
    """
    if pin.id is None and not account.is_loopback:
        raise WrongLedger(
            "the configuration does not pin its ledger",
            code="SE658",
            hint=f"if this is the ledger that knows what was sent, write 'id: {ledger.id}' under 'ledger'",
        )
    if ledger.key != "right":
        raise WrongLedger(
            f"the ledger's key is {'missing' if ledger.key == 'missing' else 'not the one this ledger was made with'}: "
            "it is not known what was applied",
            code="SE659",
            hint="bring the key file back, or replace it on purpose with 'syncengine ledger migrate --rekey'",
        )


def lost_records(account: Account, pin: LedgerPin, ledger: LedgerIdentity) -> str:
    """What a plan must open with where the ledger is behind what is known of it; empty otherwise.

    Raises WrongLedger, except for a sandbox with an unpinned ledger.
    """
    if ledger.position >= ledger.highest:
        return ""
    said = (
        f"ledger {ledger.id} is at position {ledger.position}, and was at {ledger.highest} before: it lost "
        "records, as with a `-wal` file that was not copied, or a backup put in its place"
    )
    if account.is_loopback and pin.id is None:
        return said
    raise WrongLedger(said, code="SE664", hint=f"bring the newest copy back, its `-wal` included; or {_GO_ON}")


def lost_ledger(account: Account, pin: LedgerPin, known: Mapping[str, int]) -> str:
    """The same where no ledger is there; `known` has the positions of ledgers that were at its place."""
    names = [name for name in known if pin.id in (None, name)]
    if not names:
        return ""
    said = f"ledger {names[-1]} is gone from {pin.place}; it was at position {known[names[-1]]}"
    if account.is_loopback and pin.id is None:
        return said
    raise WrongLedger(said, code="SE664", hint=f"bring it back, its `-wal` included; after a restore {_GO_ON}")


_GO_ON = "go on without the lost records: `syncengine ledger accept-position --by NAME --note TEXT`"


def key_warning(ledger: LedgerIdentity) -> str:
    """The warning that every view shows first when the ledger's key is missing; empty otherwise."""
    if ledger.key == "right":
        return ""
    state = "missing" if ledger.key == "missing" else "another one"
    return (
        f"the ledger's key is {state}: values cannot be compared with what was applied, and apply will refuse; "
        "bring the key file back"
    )
