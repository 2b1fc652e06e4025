"""The HTML file in itself: complete, closed, and safe against whatever the data holds."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser

import html5lib
import msgspec
import pytest

from syncengine.core.finding import Evidence, Finding
from syncengine.core.operations import Update
from syncengine.core.plan import MadeFrom, State
from syncengine.reports.findings import message_words
from syncengine.reports.forge import Forge
from syncengine.reports.html import LISTED, plan_html
from syncengine.reports.model import ViewOptions
from tests.reports.planted import NAMES, planted, planted_summary
from tests.reports.samples import (
    BLOCKED,
    HEADER,
    HOSTILE,
    HOSTILE_PROVENANCE,
    NO_LEDGER,
    PROVENANCE,
    WARNINGS,
    hostile_operations,
    hostile_summary,
    lead,
    operations,
    planned,
    summary_of,
)


class Elements(HTMLParser):
    """Collects every element with its attributes, and the text of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[dict[str, str | None], str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        tag, attrs = self.found[-1] if self.found else ("", {})
        if tag in ("script", "style") and self.cdata_elem:
            self.raw.append((attrs, data))


def page(leads: int = 500, **options: bool) -> str:
    summary = summary_of(operations(leads), warnings=WARNINGS, blocked=BLOCKED)
    return "".join(plan_html(HEADER, NO_LEDGER, operations(leads), summary, ViewOptions(**options)))


def planted_page(**options: bool) -> str:
    return "".join(plan_html(HEADER, PROVENANCE, planted(), planted_summary(), ViewOptions(**options)))


def hostile_page() -> str:
    options = ViewOptions(show_values=True)
    return "".join(plan_html(HEADER, HOSTILE_PROVENANCE, hostile_operations(), hostile_summary(), options))


def test_nothing_is_fetched_and_only_this_script_and_style_may_run() -> None:
    text = page()
    parsed = Elements(text)
    for tag, attrs in parsed.found:
        assert not {"src", "href", "srcset", "action", "style"} & attrs.keys() or attrs.get("href") == "#operations", (
            tag
        )
        assert not [name for name in attrs if name.startswith("on")]
    policy = next(a["content"] for t, a in parsed.found if t == "meta" and "http-equiv" in a) or ""
    assert policy.startswith("default-src 'none'; ")
    style, script = (re.search(rf"{kind}-src 'sha256-([^']+)'", policy) for kind in ("style", "script"))
    assert style
    assert script
    runnable = [data for attrs, data in parsed.raw if attrs.get("type") != "application/json"]
    hashes = [base64.b64encode(hashlib.sha256(data.encode()).digest()).decode() for data in runnable]
    assert hashes == [style[1], script[1]]
    assert "http://" not in text
    assert "https://" not in text
    assert "url(" not in text
    assert "innerHTML" not in text


def test_hostile_data_adds_no_element_and_ends_no_script() -> None:
    plain = Elements(page(20))
    hostile = Elements(hostile_page())
    ordinary = {tag for tag, _ in plain.found} | {tag for tag, _ in Elements(planted_page()).found}
    assert {tag for tag, _ in hostile.found} <= ordinary
    assert len(hostile.raw) == 5
    assert [tag for tag, _ in hostile.found].count("script") == 4
    data = [json.loads(text) for attrs, text in hostile.raw if attrs.get("type") == "application/json"]
    assert any("<script>alert(1)</script>" in str(row) for row in data[0])


def test_the_page_says_things_in_the_order_in_which_a_reviewer_needs_them() -> None:
    text = page()
    marks = [
        "Ledger:", "<h1>BLOCKED by 2 rules</h1>", ">Findings", ">Cannot be taken back", ">Money", ">Changes",
        ">After / before", ">Largest differences", ">Operations",
    ]  # fmt: skip
    body = text[text.index("<main>") :]
    places = [body.index(mark) for mark in marks]
    assert places == sorted(places)
    assert "PROVENANCE" not in body


def test_what_must_be_seen_first_is_there_without_a_script() -> None:
    summary = planted_summary()
    text = html.unescape(re.sub(r"<script.*?</script>", "", planted_page(), flags=re.DOTALL))
    told = sum(finding.severity != "info" for finding in summary.findings)
    assert f"<h1>{told} things to look at</h1>" in text
    for finding in summary.findings:
        assert message_words(finding, NAMES) in text
        assert f"{finding.evidence[0].file}:{finding.evidence[0].line}" in text
    for part in ("trigger delivery 1053", "northwind", '<td class="number negative">', "2 returns change money"):
        assert part in text
    assert "The table needs JavaScript; everything above is complete without it." in text


def test_places_link_to_the_forge_at_the_commit_and_nothing_else_is_linked() -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    provenance = msgspec.structs.replace(PROVENANCE, made_from=MadeFrom(commit=commit, branch="main"))
    forge = Forge(kind="github", url="https://github.com/acme/leads")
    text = "".join(plan_html(HEADER, provenance, planted(), planted_summary(), ViewOptions(forge=forge)))
    parsed = Elements(text)
    links = {attrs["href"] or "" for tag, attrs in parsed.found if tag == "a"} - {"#operations"}
    assert f"https://github.com/acme/leads/blob/{commit}/data/calls.csv#L43" in links
    assert all(link.startswith(f"https://github.com/acme/leads/blob/{commit}/") for link in links)
    names = next(json.loads(data) for attrs, data in parsed.raw if attrs.get("id") == "names")
    assert f"https://github.com/acme/leads/blob/{commit}/data/unsold.csv#L" in names["links"]
    assert f"commit {commit[:12]} on branch main; files as committed" in text


def test_the_page_parses_without_an_error() -> None:
    for text in (page(20), planted_page(), hostile_page()):
        parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
        parser.parse(text)


def test_ids_are_unique_and_what_is_referred_to_is_there() -> None:
    for text in (planted_page(), hostile_page()):
        attributes = [attrs for _, attrs in Elements(text).found]
        ids = [attrs["id"] for attrs in attributes if "id" in attrs]
        assert len(ids) == len(set(ids))
        assert {attrs["aria-labelledby"] for attrs in attributes if "aria-labelledby" in attrs} <= set(ids)


@pytest.mark.parametrize("rule", sorted({finding.rule for finding in planted_summary().findings}))
def test_a_finding_shows_as_many_operations_as_it_counts(rule: str) -> None:
    found = next(json.loads(data) for attrs, data in Elements(planted_page()).raw if attrs.get("id") == "found")
    for finding in found:
        shown = sum(finding["rows"][1::2])
        if finding["rule"] == rule:
            # Leads of two changes have an operation in each, and evidence of one.
            assert shown == finding["count"]


def test_evidence_is_masked_as_other_values_are() -> None:
    masked = planted_page()
    assert "4.48E+11" not in masked
    assert "AmÃ©lie" not in masked
    assert "<td>AmÃ©lie</td>" in planted_page(show_values=True)


def test_hostile_evidence_is_text() -> None:
    findings = tuple(
        Finding(
            rule="mojibake", severity="high", message=text, changeset=text, change=text, count=20, leads=(text,),
            evidence=(Evidence(operation=text, lead=text, field=text, before=text, after=text, file=text, line=1),),
        )
        for text in HOSTILE
    )  # fmt: skip
    summary = msgspec.structs.replace(planted_summary(), findings=findings)
    text = "".join(plan_html(HEADER, PROVENANCE, planted(), summary, ViewOptions(show_values=True)))
    ordinary = {tag for tag, _ in Elements(planted_page(show_values=True)).found}
    assert {tag for tag, _ in Elements(text).found} <= ordinary
    html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def test_a_hundred_thousand_findings_are_counted_and_the_first_are_listed() -> None:
    many = planted_summary().findings * 6_000
    summary = msgspec.structs.replace(planted_summary(), findings=many)
    text = "".join(plan_html(HEADER, PROVENANCE, planted(), summary, ViewOptions()))
    assert len(text) < 2_000_000
    assert f"… and {len(many) - LISTED:,} more" in text


def test_values_are_masked_unless_asked_for_and_the_page_says_which() -> None:
    masked = page()
    assert "SW1A" not in masked
    assert "S•••••AA" in masked
    assert "Personal values are masked" in masked
    shown = page(show_values=True)
    assert "SW1A 1AA" in shown
    assert "Personal values are shown." in shown


def test_a_plan_that_is_blocked_throughout_is_not_called_finished() -> None:
    lines = [planned(Update(lead(0), {"c1": "x"}), state=State.BLOCKED, reason="not allowed")]
    text = "".join(plan_html(HEADER, PROVENANCE, lines, summary_of(iter(lines)), ViewOptions()))
    assert "<h1>BLOCKED</h1>" in text


def test_an_empty_plan_makes_a_page_too() -> None:
    text = "".join(plan_html(HEADER, PROVENANCE, (), summary_of(iter(())), ViewOptions()))
    assert "Nothing to send" in text
    assert 'id="rows">[]' in text
