"""What a plan is compared with besides the ledger, and what its reviewers are told: put together for one plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from syncengine.applying.preflight import wire_digest
from syncengine.changeset.duplicates import Claims
from syncengine.changeset.loaded import Changeset
from syncengine.core.errors import InputError
from syncengine.core.ports import Clock, LedgerOperations
from syncengine.core.settings import Account, Policy
from syncengine.documents.lead_schema import LeadSchema
from syncengine.planning.attention import attention
from syncengine.planning.build import Watcher
from syncengine.planning.export import Export, read_export
from syncengine.planning.lastrun import since_last_run
from syncengine.planning.observed import Sightings
from syncengine.planning.undeclared import Undeclared

if TYPE_CHECKING:
    from syncengine.checking.campaign_fields import CampaignFields
    from syncengine.leadbyte import LeadReader


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into a plan's request: the watchers of Attention, the values seen, and the notes."""

    watchers: tuple[Watcher, ...]
    observed: Sightings | None
    undeclared: Undeclared | None
    notes: tuple[str, ...]
    late_notes: Callable[[], tuple[str, ...]]


def open_export(
    account: Account, stack: ExitStack, observed: Path | str | None, observed_at: str | None
) -> Export | None:
    """The observed file, read to its end; `stack` closes it. Raises InputError with everything wrong in it."""
    if observed is None:
        if observed_at is not None:
            raise InputError(
                "--observed-at dates an observed file, and there is none", code="SE351", hint="add --observed FILE"
            )
        return None
    return stack.enter_context(read_export(Path(observed), account, observed_at=observed_at))


def prepare_review(
    changesets: Sequence[Changeset],
    account: Account,
    stack: ExitStack,
    *,
    policy: Policy,
    environ: Mapping[str, str],
    clock: Clock,
    ledger: LedgerOperations | None,
    export: Export | None,
    offline: bool,
) -> Review:
    """Everything for one plan; `stack` closes it. `offline` opens no connection and reads no key."""
    reader = None if offline else _reader(account, stack, environ, clock)
    sightings = None
    if export is not None or reader is not None:
        sightings = stack.enter_context(Sightings(export=export, reader=reader))
    undeclared = _undeclared(ledger, account, changesets, stack)
    notes: list[str] = []
    if ledger is not None:
        notes.extend(since_last_run(ledger.last_run(account.identity), policy, wire_digest(account.wire)))
    if export is not None and export.latest > clock.now():
        notes.append(
            f"{export.label} holds values observed at {export.latest}, which is still to come: is its time zone right?"
        )
    rules = attention(_known_fields(account))
    campaigns = None if reader is None else _campaign_fields(account, reader, stack, environ, clock)
    late = [told for told in (undeclared, campaigns) if told is not None]
    more: list[Watcher] = [watcher for watcher in (campaigns, sightings) if watcher is not None]
    return Review(
        watchers=(*rules, *more),
        observed=sightings,
        undeclared=undeclared,
        notes=tuple(notes),
        late_notes=lambda: tuple(note for told in late for note in told.notes()),
    )


def _reader(account: Account, stack: ExitStack, environ: Mapping[str, str], clock: Clock) -> LeadReader | None:
    """Asks the service for current values, where the account allows it."""
    if not account.reads.leads:
        return None
    from syncengine.leadbyte import LeadReader, resolve_key

    key = resolve_key(account.api_key, environ, account=account.name, warn=_unheard)
    return stack.enter_context(LeadReader(account, key, clock, ca_file=environ.get("SYNCENGINE_CA_FILE")))


def _campaign_fields(
    account: Account, reader: LeadReader, stack: ExitStack, environ: Mapping[str, str], clock: Clock
) -> CampaignFields:
    """Compares field names with those of the campaigns of the leads that `reader` reads."""
    from syncengine.checking.campaign_fields import CampaignFields
    from syncengine.leadbyte import resolve_key
    from syncengine.leadbyte.probes import Probe

    key = resolve_key(account.api_key, environ, account=account.name, warn=_unheard)
    probe = stack.enter_context(Probe(account, key, clock, ca_file=environ.get("SYNCENGINE_CA_FILE")))
    return CampaignFields(reader.campaign, probe)


def _unheard(text: str) -> None:
    """Apply says the same again, to somebody who listens."""


def _known_fields(account: Account) -> frozenset[str] | None:
    if account.lead_schema is None:
        return None
    schema = LeadSchema.load(Path(account.lead_schema))
    return schema.known_fields if isinstance(schema, LeadSchema) else None


def _undeclared(
    ledger: LedgerOperations | None, account: Account, changesets: Sequence[Changeset], stack: ExitStack
) -> Undeclared | None:
    if ledger is None:
        return None
    recorded = {changeset.id for changeset in changesets} & ledger.changesets_of(account.identity)
    if not recorded:
        return None
    return stack.enter_context(
        Undeclared(
            lambda: stack.enter_context(Claims()),
            recorded,
            lambda changeset: ledger.attempts_of(account.identity, changeset),
            lambda changeset: ledger.history(account=account.identity, changeset=changeset),
        )
    )
