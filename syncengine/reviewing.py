"""Builds the inputs of a plan's review: finding rules, observed values and notes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from syncengine.changeset.loaded import Changeset
from syncengine.core.digests import wire_digest
from syncengine.core.errors import InputError
from syncengine.core.finding import Finding
from syncengine.core.observations import AMOUNTS
from syncengine.core.ports import Clock, Usage
from syncengine.core.results import UnfinishedPlan
from syncengine.core.settings import Account, Policy
from syncengine.core.values import LeadId, PlanDigest
from syncengine.documents.claims import ClaimStore
from syncengine.documents.lead_schema import LeadSchema
from syncengine.findings.amount_scale import RECORDED, AmountScaleOnRecord
from syncengine.findings.field_unknown import FieldUnknown
from syncengine.findings.medians import median_of
from syncengine.findings.rule import Rule
from syncengine.findings.unknown_target import UnknownTarget
from syncengine.planning.build import Watcher
from syncengine.planning.diff import Observed
from syncengine.planning.export import ObservedExport, read_export
from syncengine.planning.lastrun import since_last_run
from syncengine.planning.observed import ObservedValues
from syncengine.planning.undeclared import Undeclared

if TYPE_CHECKING:
    from syncengine.checking.campaign_fields import CampaignFields
    from syncengine.leadbyte import LeadReader
    from syncengine.ledger import Ledger, PastLedger


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """Review inputs of a plan's request: the rules that need more than its lines, the observed values, and the
    notes."""

    watchers: tuple[Watcher, ...]
    rules: tuple[Rule, ...]
    observed: Observed | None
    known_lead: Callable[[LeadId], bool] | None
    undeclared: Undeclared | None
    recorded: frozenset[str]
    notes: tuple[str, ...]
    late_findings: Callable[[], Iterator[Finding]]
    late_notes: Callable[[], tuple[str, ...]]


def open_export(
    account: Account, stack: ExitStack, observed: Path | str | None, observed_at: str | None
) -> ObservedExport | None:
    """The observed file, read completely; `stack` closes it. Raises InputError with every problem in it."""
    if observed is None:
        if observed_at is not None:
            raise InputError(
                "--observed-at dates an observed file, and there is none", code="SE351", hint="add --observed FILE"
            )
        return None
    return stack.enter_context(read_export(Path(observed), account, observed_at=observed_at))


class ReviewRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be reviewed, and by what. `offline` opens no connection and reads no key.

    `past` holds the records that a plan is worked out from again. `unfinished` are the account's
    unfinished plans; `not_resumed` maps them to the reason why this one does not go on with them, "" for the one that
    it goes on with.
    """

    changesets: Sequence[Changeset]
    account: Account
    policy: Policy
    environ: Mapping[str, str]
    clock: Clock
    ledger: Ledger | None
    export: ObservedExport | None
    offline: bool
    partial: bool = False
    past: PastLedger | None = None
    unfinished: Sequence[UnfinishedPlan] = ()
    not_resumed: Mapping[PlanDigest, str] = MappingProxyType({})


def prepare_review(request: ReviewRequest, stack: ExitStack) -> Review:
    """All review inputs for one plan; `stack` closes them."""
    account, ledger, export = request.account, request.ledger, request.export
    reader = None if request.offline else _reader(request, stack)
    values_seen = _values_seen(export, reader, stack)
    recorded = _recorded(ledger, request.past, account, request.changesets)
    undeclared = _undeclared(request, recorded, stack)
    campaigns = None if reader is None else _campaign_fields(request, reader, stack)
    fields = _known_fields(account) | (frozenset() if export is None else export.fields)
    noted = [each for each in (campaigns, values_seen) if each is not None]
    late = noted if undeclared is None else [undeclared, *noted]
    # Read now, since the ledger's state when planning began is meant; the others depend on what is planned.
    early = list(_early_findings(request))
    return Review(
        watchers=() if campaigns is None else (campaigns,),
        rules=tuple(_rules(ledger, account, fields, reads=campaigns is not None)),
        observed=None if values_seen is None else values_seen.before,
        known_lead=None if values_seen is None or export is None else values_seen.knows,
        undeclared=undeclared,
        recorded=recorded,
        notes=_notes(request),
        late_findings=lambda: chain(early, *(each.findings() for each in late)),
        late_notes=lambda: tuple(note for each in noted for note in each.notes()),
    )


def _values_seen(export: ObservedExport | None, reader: LeadReader | None, stack: ExitStack) -> ObservedValues | None:
    if export is None and reader is None:
        return None
    return stack.enter_context(ObservedValues(export=export, reader=reader))


def _early_findings(request: ReviewRequest) -> Iterator[Finding]:
    """What the ledger alone shows, before anything is planned."""
    account, ledger = request.account, request.ledger
    if ledger is None:
        return
    yield from since_last_run(ledger.last_run(account.identity), request.policy, wire_digest(account.wire))
    # A plan of a part says nothing of the whole: it names no unfinished plan but the one that it could have resumed.
    listed = [plan for plan in request.unfinished if not request.partial or plan.plan in request.not_resumed]
    yield from _unfinished(listed, request.changesets, request.not_resumed)


def _notes(request: ReviewRequest) -> tuple[str, ...]:
    export = request.export
    if export is None or export.latest <= request.clock.now():
        return ()
    note = f"{export.label} holds values observed at {export.latest}, which is still to come: is its time zone right?"
    return (note,)


def _rules(ledger: Ledger | None, account: Account, fields: frozenset[str], *, reads: bool) -> Iterator[Rule]:
    """Rules that need more than the plan's lines."""
    recorded: Callable[[], Collection[str]] = frozenset
    if ledger is not None and ledger.identity().position:
        usage = ledger.usage(account.identity)
        # Where campaigns are read, they know the fields better than the records do.
        recorded = frozenset if reads else usage.fields
        named = {"delivery": account.deliveries.values(), "buyer": account.buyers.values()}
        if ledger.changesets_of(account.identity):
            yield UnknownTarget(named, usage.seen)
        yield AmountScaleOnRecord(_LazyMedians(usage))
    yield FieldUnknown(fields, recorded)


class _LazyMedians(Mapping[str, int]):
    """Twice the median of the account's last amounts, by name; read from the ledger on first use."""

    def __init__(self, usage: Usage) -> None:
        self._usage = usage

    @cached_property
    def _medians(self) -> dict[str, int]:
        amounts = {name: [amount for amount in self._usage.amounts(name) if amount] for name in AMOUNTS}
        return {name: median_of(of_name) for name, of_name in amounts.items() if len(of_name) >= RECORDED}

    def __getitem__(self, name: str) -> int:
        return self._medians[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._medians)

    def __len__(self) -> int:
        return len(self._medians)


def _unfinished(
    unfinished: Sequence[UnfinishedPlan], changesets: Sequence[Changeset], not_resumed: Mapping[PlanDigest, str]
) -> Iterator[Finding]:
    ids = {changeset.id for changeset in changesets}
    for plan in unfinished:
        mine = sorted(ids & set(plan.changesets))
        reason = not_resumed.get(plan.plan)
        if mine and reason != "":
            what = f"plan {plan.plan[:12]} of {', '.join(mine)} is unfinished (run {plan.run})"
            message = (
                f"{what}: applying it again goes on with it"
                if reason is None
                else f"{what}, and this is a new plan: {reason}"
            )
            yield Finding(
                rule="unfinished-plan",
                severity="medium",
                message=message,
                changeset=mine[0] if len(mine) == 1 else None,
                count=max(plan.open, 0),
            )


def _reader(request: ReviewRequest, stack: ExitStack) -> LeadReader | None:
    """Reads current values from the service, where the account allows it."""
    account, environ = request.account, request.environ
    if not account.reads.leads:
        return None
    from syncengine.leadbyte import LeadReader, resolve_key

    key = resolve_key(account.api_key, environ, account=account.name, warn=_unheard)
    return stack.enter_context(LeadReader(account, key, request.clock, ca_file=environ.get("SYNCENGINE_CA_FILE")))


def _campaign_fields(request: ReviewRequest, reader: LeadReader, stack: ExitStack) -> CampaignFields:
    """Compares field names with those of the campaigns of the leads that `reader` reads."""
    from syncengine.checking.campaign_fields import CampaignFields
    from syncengine.leadbyte import resolve_key
    from syncengine.leadbyte.probes import Probe

    account, environ = request.account, request.environ
    key = resolve_key(account.api_key, environ, account=account.name, warn=_unheard)
    probe = stack.enter_context(Probe(account, key, request.clock, ca_file=environ.get("SYNCENGINE_CA_FILE")))
    return CampaignFields(reader.campaign, probe)


def _unheard(text: str) -> None:
    """Ignores a note: apply repeats it to its listener."""


def _known_fields(account: Account) -> frozenset[str]:
    if account.lead_schema is None:
        return frozenset()
    schema = LeadSchema.load(Path(account.lead_schema))
    known = schema.known_fields if isinstance(schema, LeadSchema) else None
    return frozenset(known or ())


def _recorded(
    ledger: Ledger | None, past: PastLedger | None, account: Account, changesets: Sequence[Changeset]
) -> frozenset[str]:
    """The plan's changesets that have records in the ledger."""
    ids = frozenset(changeset.id for changeset in changesets)
    if past is not None:
        return past.recorded_among(account.identity, ids)
    return frozenset() if ledger is None else ids & ledger.changesets_of(account.identity)


def _undeclared(request: ReviewRequest, recorded: frozenset[str], stack: ExitStack) -> Undeclared | None:
    """None where nothing can be missing: no records of these changesets, or a plan of a part of them."""
    ledger, account = request.ledger, request.account.identity
    if ledger is None or request.partial or not recorded:
        return None
    return stack.enter_context(
        Undeclared(
            lambda: stack.enter_context(ClaimStore()),
            recorded,
            lambda changeset: (request.past or ledger).attempts_of(account, changeset),
            lambda changeset: ledger.history(account=account, changeset=changeset),
        )
    )
