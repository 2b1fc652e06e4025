"""The verdict and the findings of a plan, as every view says them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Literal

from syncengine.core.finding import Evidence, Finding
from syncengine.core.plan import PlanSummary, Provenance
from syncengine.core.redaction import Masker, visible

Verdict = Literal["blocked", "attention", "clear", "nothing"]

OPEN_FIELDS = frozenset({"payout", "revenue", "margin", "buyer", "delivery"})
"""What is about money or where a lead goes: never masked, as reviewers judge by it."""


def verdict_of(summary: PlanSummary) -> Verdict:
    """What the plan comes to, in one word."""
    counts = summary.counts
    if summary.blocked or counts.blocked:
        return "blocked"
    if not counts.to_send:
        return "nothing"
    return "attention" if any(finding.severity != "info" for finding in summary.findings) else "clear"


def plan_warnings(provenance: Provenance, summary: PlanSummary) -> Iterator[str]:
    """That no ledger was read; the messages of findings that ask for attention, in order; other remarks."""
    if provenance.ledger_note:
        yield provenance.ledger_note
    for finding in summary.findings:
        if finding.severity != "info":
            yield finding.message
    yield from remarks(provenance, summary)


def remarks(provenance: Provenance, summary: PlanSummary) -> tuple[str, ...]:
    """What is no finding and yet worth a line."""
    return tuple(line for line in (*summary.notes, *summary.warnings) if line != provenance.ledger_note)


def shown_value(field: str | None, value: str | None, masker: Masker) -> str | None:
    """A value of a finding's evidence as a view may show it."""
    if value is None or field is None or field in OPEN_FIELDS:
        return value
    return masker.show(field, value)


def example_words(finding: Finding) -> str:
    """The first piece of evidence in words: which lead, and where it was declared; empty where there is none."""
    if not finding.evidence:
        return ""
    first = finding.evidence[0]
    lead = f"lead {visible(first.lead)}" if first.lead else ""
    return ", ".join(filter(None, (lead, _place(first))))


_TARGET = re.compile(r"\b(delivery|buyer) ([^\s,;()]{1,64})(?! \()")


def message_words(finding: Finding, names: Mapping[tuple[str, str], str]) -> str:
    """The message, with what the account calls a target beside its id."""

    def named(match: re.Match[str]) -> str:
        name = names.get((match[1], match[2]), "")
        said = match.string[match.end() :].startswith(f" {name}")
        return f"{match[0]} {name}" if name and name != match[2] and not said else match[0]

    return visible(_TARGET.sub(named, finding.message))


def flagged(findings: Iterable[Finding], most: int | None = None) -> tuple[str, ...]:
    """The first operations that findings give as evidence, in order, but for those that only inform."""
    told = (
        evidence.operation
        for finding in findings
        if finding.severity != "info"
        for evidence in finding.evidence
        if evidence.operation
    )
    return tuple(islice(dict.fromkeys(told), most))


def _place(evidence: Evidence) -> str:
    if not evidence.file:
        return ""
    if evidence.line:
        return f"{visible(evidence.file)}:{evidence.line}"
    return visible(evidence.file) + (f" row {evidence.row}" if evidence.row is not None else "")


def finding_line(finding: Finding) -> str:
    """One line for people: severity, what, and an example."""
    example = example_words(finding)
    return f"{finding.severity}: {visible(finding.message)}" + (f" (as {example})" if example else "")
