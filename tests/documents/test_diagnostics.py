"""Findings as text and JSON: aligned, limited, and never able to steer a terminal."""

import re
from pathlib import Path

from syncengine.core.codes import CODES
from syncengine.core.errors import Problem
from syncengine.documents import diagnostics
from syncengine.documents.diagnostics import as_json, limit, ordered, render_text
from syncengine.documents.reader import read_documents


def test_a_block_shows_place_line_caret_and_hint() -> None:
    _, problems = read_documents(b"a: 1\nb: c: d\n", "specs/x.yaml")
    assert render_text(problems, colour=False) == (
        "specs/x.yaml:2:5: error SE104: a second ': ' where a value is expected\n"
        "    2 | b: c: d\n"
        "      |     ^\n"
        "      = hint: quote a value that contains ': ', or check the indentation of this line and the one before\n"
    )


def test_the_caret_stands_under_wide_characters_and_long_lines() -> None:
    _, problems = read_documents("日本: b: c\n".encode(), "x")
    line, caret = render_text(problems, colour=False).splitlines()[1:3]
    assert line.endswith("日本: b: c")
    assert caret.index("^") == line.index("b") + 1 + 2  # two characters of two cells each
    _, problems = read_documents(b"a: " + b"x" * 500 + b": b\n", "x")
    line, caret = render_text(problems, colour=False).splitlines()[1:3]
    assert "…" in line
    assert line[caret.index("^")] == ":"


def test_only_visible_text_comes_out() -> None:
    text = "\x1b]0;title\x07\u202eevil\r\n"
    problem = Problem(code="SE1", message=text, file=text, line=1, column=1, hint=text, excerpt=text)
    shown = render_text([problem], colour=False)
    assert all(character == "\n" or character.isprintable() or character == "\ufffd" for character in shown)
    assert shown.count("\n") == 4


def test_colour_is_an_option() -> None:
    problem = Problem(code="SE1", message="m", file="f", line=1, column=1, severity="warning")
    assert "\x1b[33m" in render_text([problem], colour=True)
    assert "\x1b" not in render_text([problem], colour=False)


def test_a_hundred_of_a_kind_then_a_count() -> None:
    problems = [Problem(code="SE105", message=str(n), file="f", line=n) for n in range(1, 251)]
    problems.append(Problem(code="SE104", message="other", file="f", line=1))
    limited = limit(problems)
    assert len(limited) == 102
    assert limited[-1].message == "150 more of this kind (SE105) are not shown"
    assert len(as_json(problems)) == 102


def test_json_has_every_key() -> None:
    (diagnostic,) = as_json([Problem(code="SE1", message="m", file="f", line=1, column=2, row=3)])
    assert diagnostic == {
        "code": "SE1", "severity": "error", "message": "m", "file": "f", "line": 1, "column": 2, "row": 3, "hint": ""
    }  # fmt: skip


def test_rows_are_named_and_order_is_by_place() -> None:
    first = Problem(code="SE3", message="m", file="data.csv", row=7)
    second = Problem(code="SE3", message="m", file="a.yaml", line=2, column=1)
    assert ordered([first, second, first]) == [second, first]
    assert render_text([first], colour=False) == "data.csv (row 7): error SE3: m\n"


def test_every_code_has_its_sentence() -> None:
    sources = Path(diagnostics.__file__).parent.glob("*.py")
    used = {code for source in sources for code in re.findall(r'"(SE[125]\d\d)"', source.read_text())}
    assert used <= CODES.keys()
    assert len(used) > 30
