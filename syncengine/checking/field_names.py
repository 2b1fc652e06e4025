"""Compares the fields that changesets write with the fields of their leads' campaigns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from syncengine.changeset.loaded import Changeset
from syncengine.checking.check import Check, State
from syncengine.core.changes import Item, Origin
from syncengine.core.errors import Problem
from syncengine.core.operations import Update
from syncengine.core.settings import Account
from syncengine.core.values import LeadId, is_service_id
from syncengine.leadbyte.probes import CAMPAIGNS_PATH, Probe, ProbeAnswer, campaign_of, field_names
from syncengine.leadbyte.requests import LEADS_PATH

_SAMPLES = 3
"""Sampled leads per field, whose campaigns are requested."""


class _ChangesetField:
    """One field of one changeset: its position, and a sample of the leads that it is written to."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.leads: dict[LeadId, None] = {}


def field_checks(changesets: Iterable[Changeset], account: Account, probe: Probe) -> Iterator[Check]:
    """A line for each field that its campaign does not have, then one for all others. Reads a few leads per field."""
    uses: dict[tuple[str, str], _ChangesetField] = {}
    problems: list[Problem] = []
    for changeset in changesets:
        for item in changeset.items(problems.append):
            _note(item, uses)
    errors = sum(problem.severity == "error" for problem in problems)
    if errors:
        yield Check(
            name="fields",
            account=account.name,
            state="warning",
            message=f"the changesets have {errors} errors; what they are about was left out",
            advice="`syncengine validate` shows them",
        )
    yield from _Fields(account, probe).checks(uses)


def advice_on(name: str, names: frozenset[str]) -> str:
    """Suggestion for a field that a campaign does not have."""
    folded = {known.lower(): known for known in names}
    near = get_close_matches(name.lower(), folded, n=1)
    return f"did you mean {folded[near[0]]!r}?" if near else f"there are: {', '.join(sorted(names)[:20])}"


def _note(item: Item, uses: dict[tuple[str, str], _ChangesetField]) -> None:
    for operation in item.operations:
        if not isinstance(operation, Update):
            continue
        for name in operation.fields:
            use = uses.setdefault((item.changeset, name), _ChangesetField(item.origin))
            if len(use.leads) < _SAMPLES and is_service_id(item.lead):
                use.leads[item.lead] = None


class _Fields:
    def __init__(self, account: Account, probe: Probe) -> None:
        self._account = account
        self._probe = probe
        self._campaigns: dict[LeadId, str | None] = {}
        self._names: dict[str, frozenset[str] | None] = {}
        self._unread = ""

    def checks(self, uses: dict[tuple[str, str], _ChangesetField]) -> Iterator[Check]:
        fine, untold = 0, []
        for (changeset, name), use in uses.items():
            found = self._known(use)
            wrong = [campaign for campaign, names in found.items() if name not in names]
            for campaign in wrong:
                yield self._wrong(changeset, name, use.origin, campaign, found[campaign])
            if not found:
                untold.append(name)
            elif not wrong:
                fine += 1
        if untold:
            listed = ", ".join(sorted(set(untold))[:10])
            yield self._check("unknown", f"the campaign of these fields is unknown: {listed} ({self._unread})")
        if fine or not uses:
            yield self._check("ok", f"{fine} field names are known to their campaigns")

    def _wrong(self, changeset: str, name: str, origin: Origin, campaign: str, names: frozenset[str]) -> Check:
        where = f"{origin.file}:{origin.line}: changeset {changeset}"
        return self._check(
            "problem", f"{where} writes {name!r}, and campaign {campaign} has no such field", advice_on(name, names)
        )

    def _known(self, use: _ChangesetField) -> dict[str, frozenset[str]]:
        """Campaigns of the sampled leads, with the names of their fields."""
        found: dict[str, frozenset[str]] = {}
        for lead in use.leads:
            campaign = self._campaign(lead)
            names = None if campaign is None else self._fields(campaign)
            if campaign is not None and names is not None:
                found[campaign] = names
        return found

    def _campaign(self, lead: LeadId) -> str | None:
        if lead not in self._campaigns:
            document = self._asked(f"{LEADS_PATH}/{lead}", f"lead {lead}")
            self._campaigns[lead] = None if document is None else campaign_of(document.document)
            if document is not None and self._campaigns[lead] is None:
                self._unread = f"lead {lead}: the service names no campaign"
        return self._campaigns[lead]

    def _fields(self, campaign: str) -> frozenset[str] | None:
        if campaign not in self._names:
            document = self._asked(f"{CAMPAIGNS_PATH}/{campaign}", f"campaign {campaign}")
            self._names[campaign] = None if document is None else field_names(document.document)
        return self._names[campaign]

    def _asked(self, path: str, what: str) -> ProbeAnswer | None:
        heard = self._probe.ask(path, "query")
        if isinstance(heard, ProbeAnswer) and heard.status == 200:
            return heard
        why = f"HTTP {heard.status}: {heard.words}" if isinstance(heard, ProbeAnswer) else heard.reason
        self._unread = f"{what}: {why}"
        return None

    def _check(self, state: State, message: str, advice: str = "") -> Check:
        return Check(name="fields", account=self._account.name, state=state, message=message, advice=advice)
