"""The page that lists the plans of `plan --each`, each with a link to its own page in the same folder."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from syncengine.core.plan import PlanHeader, PlanSummary, Provenance
from syncengine.core.redaction import visible
from syncengine.reports.findings import verdict_of
from syncengine.reports.html import assets, templates
from syncengine.reports.vocabulary import short


class PlanRow(msgspec.Struct, frozen=True, kw_only=True):
    """One plan of the list. `page` is the name of its page."""

    changeset: str
    title: str
    page: str
    digest: str
    verdict: str
    leads: int
    to_send: int
    irreversible: int
    payout: int
    revenue: int
    findings: int


def row_of_plan(header: PlanHeader, provenance: Provenance, summary: PlanSummary, page: str) -> PlanRow:
    """What the list says of a plan."""
    counts = summary.counts
    return PlanRow(
        changeset=provenance.selection.each or header.account,
        title=visible(next((changeset.title for changeset in summary.changesets), "")),
        page=quote(page),
        digest=short(summary.digest),
        verdict=verdict_of(summary),
        leads=counts.leads,
        to_send=counts.to_send,
        irreversible=counts.irreversible,
        payout=counts.payout,
        revenue=counts.revenue,
        findings=sum(finding.severity != "info" for finding in summary.findings),
    )


def plans_page(account: str, rows: Sequence[PlanRow], warnings: Sequence[str]) -> str:
    """The whole page. It needs nothing but the pages that it links."""
    page = templates().get_template("plans.html.j2")
    worst = next(
        (name for name in ("blocked", "attention", "clear") if any(r.verdict == name for r in rows)), "nothing"
    )
    return page.render(
        account=visible(account), rows=rows, warnings=[visible(each) for each in warnings], verdict=worst, **assets()
    )
