"""The HTML file in itself: complete, closed, and safe against whatever the data holds."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

from syncengine.core.operations import Update
from syncengine.core.plan import State
from syncengine.reports.html import plan_html
from syncengine.reports.model import ViewOptions
from tests.reports.samples import (
    BLOCKED,
    HEADER,
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
    assert {tag for tag, _ in hostile.found} - {tag for tag, _ in plain.found} <= {"mark"}
    assert len(hostile.raw) == 4
    assert [tag for tag, _ in hostile.found].count("script") == 3
    data = [json.loads(text) for attrs, text in hostile.raw if attrs.get("type") == "application/json"]
    assert any("<script>alert(1)</script>" in str(row) for row in data[0])


def test_the_page_opens_with_the_note_then_blocked_then_attention_then_the_numbers() -> None:
    text = page()
    marks = ["Ledger:", "<h1>", "Blocked", "Attention", 'class="cards"', "Operations by change", 'id="operations"']
    body = text[text.index("<main>") :]
    places = [body.index(mark) for mark in marks]
    assert places == sorted(places)
    assert "PROVENANCE" not in body


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
    assert "<h1>Blocked: 1 operation cannot be sent " in text


def test_an_empty_plan_makes_a_page_too() -> None:
    text = "".join(plan_html(HEADER, PROVENANCE, (), summary_of(iter(())), ViewOptions()))
    assert "Nothing to send" in text
    assert 'id="rows">[]' in text
