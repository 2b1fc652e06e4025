"""The comment on a pull request: rendered by a real Markdown library, nothing from data comes alive in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from syncengine.core.operations import Update
from syncengine.core.plan import MadeFrom, State
from syncengine.core.redaction import visible
from syncengine.reports.forge import Forge
from syncengine.reports.markdown import LIMIT, code, plan_markdown, units
from syncengine.reports.markdown_parts import prose
from syncengine.reports.model import ViewOptions
from tests.attacks import carried
from tests.reports.samples import (
    BLOCKED,
    FINDINGS,
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

CHUNK = 4
"""Hostile texts in one comment, few enough that none of it is cut."""
CHUNKS = [HOSTILE[start : start + CHUNK] for start in range(0, len(HOSTILE), CHUNK)]
ORDINARY = [f"ordinary {n}" for n in range(CHUNK)]

OURS = re.compile(r"</?details>|</?summary>|</?b>|<code>[^<]*</code>")


def tokens(text: str) -> Iterator[Token]:
    """Every token of the rendered text, inline ones included."""
    for token in MarkdownIt("gfm-like").parse(text):
        yield token
        yield from token.children or ()


def assert_dead(text: str) -> None:
    """No link, image, foreign HTML, mention or issue reference outside code."""
    for token in tokens(text):
        assert token.type not in ("link_open", "image"), token
        if token.type in ("html_block", "html_inline"):
            left = OURS.sub("", token.content)
            assert "<" not in left, token.content
        if token.type == "text":
            assert "@" not in token.content, token.content
            assert not re.search(r"#\d|GH-\d|www\.|https?:", token.content), token.content

        # What GitLab takes for an order to itself.
        assert not re.search(r"^\s*/", text, re.M)


class Rendered(HTMLParser):
    """The elements of a page with the names of their attributes, and its text."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.text = ""
        self.feed(MarkdownIt("gfm-like").render(markdown))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[" ".join((tag, *(name for name, _ in attrs)))] += 1

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("texts", CHUNKS, ids=lambda texts: repr(texts[0][:30]))
@pytest.mark.parametrize("show_values", [True, False])
def test_nothing_from_data_comes_alive(texts: Sequence[str], show_values: bool) -> None:
    options = ViewOptions(show_values=show_values)
    text = plan_markdown(HEADER, HOSTILE_PROVENANCE, hostile_operations(texts), hostile_summary(texts), options)
    assert_dead(text)
    assert units(text) <= LIMIT
    ordinary = ORDINARY[: len(texts)]
    same = plan_markdown(HEADER, PROVENANCE, hostile_operations(ordinary), hostile_summary(ordinary), options)
    assert set(Rendered(text).elements) <= set(Rendered(same).elements) | {"blockquote", "strong", "li"}


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    return Rendered(carried.view(tmp_path_factory.mktemp("ordinary") / "repository", ORDINARY, "markdown"))


@pytest.mark.parametrize("texts", CHUNKS, ids=lambda texts: repr(texts[0][:30]))
def test_what_the_command_prints_renders_to_the_same_elements_whatever_the_data(
    tmp_path: Path, ordinary: Rendered, texts: Sequence[str]
) -> None:
    printed = carried.view(tmp_path / "repository", texts, "markdown")
    assert_dead(printed)
    rendered = Rendered(printed)
    # A heading more: fields with names that are alike are a thing for reviewers.
    assert set(rendered.elements) <= set(ordinary.elements)
    shown = re.sub(r"\s", "", rendered.text)
    for text in map(carried.sendable, texts):
        assert re.sub(r"\s", "", visible(text))[:70] in shown


@given(st.text(min_size=1, max_size=80))
def test_any_text_is_one_code_span(text: str) -> None:
    inline = MarkdownIt("gfm-like").parseInline(f"- {code(text)} end")[0].children or []
    assert [token.type for token in inline] == ["text", "code_inline", "text"]
    assert "\n" not in code(text)


def test_code_spans_show_the_text_as_it_is() -> None:
    (token,) = MarkdownIt("gfm-like").parseInline(code("a `b` ``c`` <i> &amp; [x](y)"))[0].children or []
    assert token.content == "a `b` ``c`` <i> &amp; [x](y)"


@pytest.mark.parametrize(("leads", "times"), [(500, 1), (5000, 300), (20, 8000)])
def test_it_is_never_too_long_and_says_what_it_leaves_out(leads: int, times: int) -> None:
    summary = summary_of(operations(leads), warnings=WARNINGS * times, blocked=BLOCKED * times)
    summary = msgspec.structs.replace(summary, findings=FINDINGS * times)
    text = plan_markdown(HEADER, NO_LEDGER, operations(leads), summary, ViewOptions())
    assert units(text) <= LIMIT
    assert summary.digest in text
    assert ("more findings not shown" in text) == (times > 100)
    assert ("more operations not shown" in text) == (leads > 20)
    assert text.count("<details>") == text.count("</details>")
    assert len(re.findall(r"^- (?:‼ )?\*\*(?:update|trigger|reprocess|financials)\*\* lead ", text, re.MULTILINE)) <= 20


def test_links_are_by_reference_and_never_make_it_too_long() -> None:
    forge = Forge(kind="github", url="https://github.com/acme/leads")
    provenance = msgspec.structs.replace(PROVENANCE, made_from=MadeFrom(commit="01" * 20))
    summary = msgspec.structs.replace(summary_of(operations(500)), findings=FINDINGS * 300)
    text = plan_markdown(HEADER, provenance, operations(500), summary, ViewOptions(forge=forge))
    assert units(text) <= LIMIT
    links = [token.attrs["href"] for token in tokens(text) if token.type == "link_open"]
    assert f"https://github.com/acme/leads/blob/{'01' * 20}/data/uplift.csv#L100" in links
    assert len(links) > 12


def test_it_links_to_the_html_view_in_ci() -> None:
    options = ViewOptions(artifact="https://github.com/acme/leads/actions/runs/42#artifacts")
    text = plan_markdown(HEADER, PROVENANCE, operations(5), summary_of(operations(5)), options)
    assert [token.attrs["href"] for token in tokens(text) if token.type == "link_open"] == [options.artifact]


def test_values_outside_the_basic_plane_count_twice() -> None:
    lines = [planned(Update(lead(n), {"c1": "🙂" * 100}), change=f"{n}") for n in range(2000)]
    text = plan_markdown(HEADER, PROVENANCE, lines, summary_of(iter(lines)), ViewOptions(show_values=True))
    assert len(text.encode("utf-16-le")) // 2 == units(text) <= LIMIT


def test_the_first_screen_holds_verdict_twelve_findings_irreversible_and_money() -> None:
    summary = msgspec.structs.replace(summary_of(operations(500), blocked=BLOCKED), findings=FINDINGS)
    text = plan_markdown(HEADER, NO_LEDGER, operations(500), summary, ViewOptions())
    marks = ["Ledger:", "BLOCKED by 2 rules", "**blocked** `max_irreversible`", "**high**", "**medium**", "**info**",
             "irreversible**: cannot be taken back", "`delivery 1053 buyer-a`", "| margin |"]  # fmt: skip
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)
    assert text.index("Money over") < 4_000
    for finding in FINDINGS:
        assert f"buyer 34 for only {finding.count} of 5,000 leads" in text[:4_000].replace("`", "")
        assert f"data/uplift.csv:{finding.evidence[0].line}" in text[:4_000]
    rest = [text.index(mark) for mark in ("| to be sent |", "### Changes", "one by one")]
    assert rest == sorted(rest)
    assert f"financials** lead `{lead(7)}`" in text[rest[2] : rest[2] + 120]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (
            "12 operations of change a b take 5,000 leads (1.5 %)",
            "12 operations of change `a b` take 5,000 leads (1.5 %)",
        ),
        ("see data/a.csv:4, and @everyone.", "see `data/a.csv:4`, and `@everyone`."),
        ("<b>x</b> & #12 [a](b) GH-1", "`<b>x</b> & #12 [a](b`) `GH-1`"),
        ("mail p@x.com; www.x.com! :smile:", "mail `p@x.com`; `www.x.com! :smile`:"),
        ("in a b.", "in `a b`."),
    ],
)
def test_our_sentences_are_text_and_foreign_words_are_code(text: str, written: str) -> None:
    assert prose(text, ["a b"]) == written


@given(st.text(max_size=80), st.text(max_size=10))
def test_no_sentence_comes_alive(text: str, foreign: str) -> None:
    inline = MarkdownIt("gfm-like").parseInline(f"- x {prose(text, [foreign])}")[0].children or []
    assert {token.type for token in inline} <= {"text", "code_inline"}
    assert not any("@" in token.content or "#" in token.content for token in inline if token.type == "text")


def test_a_plan_that_is_blocked_throughout_is_not_called_finished() -> None:
    lines = [planned(Update(lead(0), {"c1": "x"}), state=State.BLOCKED, reason="not allowed")]
    text = plan_markdown(HEADER, PROVENANCE, lines, summary_of(iter(lines)), ViewOptions())
    assert text.startswith("## ⛔ BLOCKED\n")
    nothing = plan_markdown(HEADER, PROVENANCE, (), summary_of(iter(())), ViewOptions())
    assert nothing.startswith("## Nothing to send\n")


def test_personal_values_are_masked_unless_asked_for() -> None:
    summary = summary_of(operations(20))
    masked = plan_markdown(HEADER, PROVENANCE, operations(20), summary, ViewOptions())
    assert "SW1A" not in masked
    assert "`S•••••AA`" in masked
    assert "`SW1A 1AA`" in plan_markdown(HEADER, PROVENANCE, operations(20), summary, ViewOptions(show_values=True))
