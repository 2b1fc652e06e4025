"""Evidence for doubts: what the service shows of their leads now. It decides nothing; people resolve doubts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from syncengine.cli.command import Invocation
from syncengine.cli.progress import Progress
from syncengine.cli.reading import of_identity, open_reader
from syncengine.core.errors import SyncError
from syncengine.core.message_redaction import without_values
from syncengine.core.observations import MONEY, LeadDetails, LeadEvent, UnreadLead
from syncengine.core.redaction import Masker
from syncengine.core.results import Doubt, DoubtEvidence, StatusReport
from syncengine.core.settings import Account
from syncengine.core.values import LeadId, OperationId
from syncengine.project import Project

if TYPE_CHECKING:
    from syncengine.leadbyte import LeadReader

_ANY_ZONE = timedelta(hours=14)
"""A time without a zone may be that much earlier or later than it says in UTC."""


def with_evidence(invocation: Invocation, project: Project, report: StatusReport, *, exact: bool) -> StatusReport:
    """The report with what the service shows of each doubtful lead, which is read once. `exact` is for machines.

    Whatever prevents the reading becomes a warning of the report.
    """
    by_account: dict[str, list[Doubt]] = {}
    for doubt in report.in_doubt:
        by_account.setdefault(doubt.account, []).append(doubt)
    evidence: dict[OperationId, DoubtEvidence] = {}
    warnings = list(report.warnings)
    leads = {(doubt.account, doubt.lead) for doubt in report.in_doubt}
    with Progress(invocation.output, "reading leads", len(leads)) as progress, ExitStack() as stack:
        for identity, doubts in by_account.items():
            try:
                account = of_identity(project, identity)
                reader = open_reader(invocation, project, account, stack)
            except SyncError as error:
                warnings.append(f"no evidence: {error.message} ({error.hint})")
            else:
                found = _of_account(account, reader, doubts, exact=exact, read=lambda: progress.advance(1))
                for operation, each in found:
                    if isinstance(each, UnreadLead):
                        warnings.append(each.reason)
                    else:
                        evidence[operation] = each
    return msgspec.structs.replace(report, evidence=evidence, warnings=tuple(warnings))


def _of_account(
    account: Account, reader: LeadReader, doubts: Iterable[Doubt], *, exact: bool, read: Callable[[], None]
) -> Iterator[tuple[OperationId, DoubtEvidence | UnreadLead]]:
    """Evidence for an account's doubts; one reason for each lead that cannot be read. Calls `read` after each lead."""
    masker = Masker((*account.fields.public, *MONEY), exact=exact)
    by_lead: dict[LeadId, list[Doubt]] = {}
    for doubt in doubts:
        by_lead.setdefault(doubt.lead, []).append(doubt)
    for lead, group in by_lead.items():
        state = reader.look(lead)
        read()
        if isinstance(state, UnreadLead):
            yield group[0].operation, UnreadLead(f"no evidence for lead {lead}: {state.reason}")
            continue
        shown = _shown(state, account, masker)
        for doubt in group:
            yield doubt.operation, _since(shown, doubt.since)


def _shown(state: LeadDetails, account: Account, masker: Masker) -> LeadDetails:
    """The same as a view may show it. Entries of a history may repeat values of the lead."""
    personal = {
        value: name
        for name, value in state.values.items()
        if value and name not in MONEY and name not in account.fields.public
    }
    events = [LeadEvent(at=event.at, event=without_values(event.event, personal)) for event in state.history]
    values = {name: masker.show(name, value) for name, value in state.values.items()}
    return LeadDetails(values=values, history=tuple(events))


def _since(state: LeadDetails, since: str) -> DoubtEvidence:
    start = datetime.fromisoformat(since)
    events = tuple(event for event in state.history if not _is_before(event.at, start))
    return DoubtEvidence(values=state.values, history=events)


def _is_before(at: str, start: datetime) -> bool:
    """Whether an entry is certainly older. One without a readable time is shown, and people judge."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return False
    if "." not in at:
        start = start.replace(microsecond=0)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC) + _ANY_ZONE < start
    return moment < start
