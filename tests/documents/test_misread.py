"""What YAML reads as something else than was typed is found, and what is read as typed is left alone."""

import pytest

from syncengine.core.errors import Problem
from syncengine.documents.reader import read_documents


def _found(text: str) -> list[Problem]:
    return read_documents(text.encode(), "f.yaml")[1]


def _brief(text: str) -> list[tuple[str, str, int, int]]:
    return [(problem.code, problem.severity, problem.line, problem.column) for problem in _found(text)]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("company: &Sons Ltd\n", 1, 10),
        ("company: &Sons\n", 1, 10),
        ("company: &Sons 'Ltd'\n", 1, 10),
        ("rows: &rows [a, b]\n", 1, 7),
        ("rows: &rows\n  - a\n", 1, 7),
        ("- &a-b c\n", 1, 3),
        ("- [&a b]\n", 1, 4),
        ("{&a b: c}\n", 1, 2),
        ("&a b: c\n", 1, 1),
        ("a: &x y\nb: &x z\nc: *x\n", 1, 4),
        ("a: &x y\nb: *x\nc: &x z\n", 3, 4),
        ("a: &x y\n---\nb: &x z\nc: *x\n", 1, 4),
        ("key: &an:chor value\n", 1, 6),
        ("\ufeffa: &x y\n", 1, 4),
        ("a: x\r\nb: &x y\r\n", 2, 4),
    ],
)
def test_anchor_that_no_alias_uses_is_an_error(text: str, line: int, column: int) -> None:
    assert _brief(text) == [("SE116", "error", line, column)]


def test_message_about_an_anchor_shows_what_was_typed_and_how_to_quote_it() -> None:
    (problem,) = _found("company: &Sons Ltd   # who\n")
    assert problem.message == "'&Sons Ltd' is read as 'Ltd': &Sons is an anchor, and no alias uses it"
    assert '"&Sons Ltd"' in problem.hint
    assert problem.excerpt == "company: &Sons Ltd   # who"


@pytest.mark.parametrize(
    "text",
    [
        "a: &x y\nb: *x\n",
        "a: &x y\nb: *x\nc: &x z\nd: *x\n",
        "a: &x [b, c]\nd: *x\ne: *x\n",
        "a: &x\n  b: c\nd: [*x]\n",
        "a: '&Sons Ltd'\n",
        "a: Smith &Sons\n",
        "a: Smith & Sons\n",
        "a: |\n  &Sons Ltd\n",
        "# &Sons Ltd\na: b\n",
        "&a b: c\nd: *a\n",
    ],
)
def test_anchors_in_use_and_texts_with_an_ampersand_are_read(text: str) -> None:
    assert _found(text) == []


@pytest.mark.parametrize(
    ("text", "line", "column", "quoted"),
    [
        ("a: Flat #3\n", 1, 9, '"Flat #3"'),
        ("a: Flat  #3 # why\n", 1, 10, '"Flat  #3 # why"'),
        ("a: Flat\t#3\n", 1, 9, '"Flat\\t#3"'),
        ("- Flat #3\n", 1, 8, '"Flat #3"'),
        ("a: #3\n", 1, 4, '"#3"'),
        ("- #3\n- b\n", 1, 3, '"#3"'),
        ("a: Flat ##3\n", 1, 9, '"Flat ##3"'),
        ("a: x\n  y #3\n", 2, 5, '"x y #3"'),
        ("a: [b, c #3\n  ]\n", 1, 10, '"c #3"'),
        ("a: {b: c #3\n  }\n", 1, 10, '"c #3"'),
        ('a: Flat "A" #3\n', 1, 13, '"Flat \\"A\\" #3"'),
        ("a: b?c=d #3\n", 1, 10, '"b?c=d #3"'),
        ("a: Flat #3\r\n", 1, 9, '"Flat #3"'),
        ("\ufeffa: Flat #3\n", 1, 9, '"Flat #3"'),
        ("a: Straße #3", 1, 11, '"Straße #3"'),
        ("? a\n: b #3\n", 2, 5, '"b #3"'),
    ],
)
def test_value_cut_off_by_a_comment_without_a_space_is_a_warning(
    text: str, line: int, column: int, quoted: str
) -> None:
    (problem,) = _found(text)
    assert (problem.code, problem.severity, problem.line, problem.column) == ("SE117", "warning", line, column)
    assert quoted in problem.hint


def test_warning_about_a_cut_value_shows_what_is_left_and_what_was_cut() -> None:
    (problem,) = _found("a: Flat #3, Mill Lane\n")
    assert problem.message == "the value 'Flat' ends before '#3, Mill Lane', which is read as a comment"


def test_cut_inside_braces_is_told_beside_the_brace_that_is_missing() -> None:
    cut, unclosed = _found("a: {c1: Flat #3}\n")
    assert (cut.code, unclosed.code) == ("SE117", "SE104")
    assert '"Flat #3"' in cut.hint


@pytest.mark.parametrize(
    "text",
    [
        "a: Flat # 3\n",
        "a: Flat #\n",
        "a: Flat ## 3\n",
        "a: Flat#3\n",
        "a: 'Flat #3'\n",
        'a: "Flat #3"\n',
        "a: 'Flat' #3\n",
        'a: "Flat" #3\n',
        "a: |\n  Flat #3\n",
        "a: >-\n  Flat #3\n",
        "a: | #3\n  Flat\n",
        "#3\na: b\n",
        "a: b\n#3\n",
        "a: b\n  #3\nc: d\n",
        "a: #all of it\n  b: c\n",
        "a: #all of it\n  - b\n",
        "a: [b, #first\n  c]\n",
        "a: [b] #3\n",
        "a: {b: c} #3\n",
        "a: &x b\nc: *x #3\n",
        "a: x\u00a0#3\n",
    ],
)
def test_comments_and_quoted_texts_give_no_warning(text: str) -> None:
    assert _found(text) == []


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: 'b'#c\n", 1, 7),
        ('a: "b"#c\n', 1, 7),
        ("a: [b]#c\n", 1, 7),
        ("a: {b: c}#d\n", 1, 10),
        ("a: [b,#c\n  d]\n", 1, 7),
        ("a: [#b\n  c]\n", 1, 5),
        ("a: |#b\n  c\n", 1, 5),
        ("a: >-#b\n  c\n", 1, 6),
    ],
)
def test_comment_that_touches_a_value_is_an_error(text: str, line: int, column: int) -> None:
    assert _brief(text) == [("SE104", "error", line, column)]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: {?c1: x}\n", 1, 5),
        ("a: { ?c1: x}\n", 1, 6),
        ("a: {b: x, ?c1: y}\n", 1, 11),
        ("a: {b: x,?c1: y}\n", 1, 10),
        ("a: [?x]\n", 1, 5),
        ("a: [?x, y]\n", 1, 5),
        ("a:\n  {\n  ?c1: x}\n", 3, 3),
        ('a: {?"c1": x}\n', 1, 5),
        ("a: [?]\n", 1, 5),
        ("{?c1: x}", 1, 2),
    ],
)
def test_question_mark_that_libyaml_drops_is_an_error(text: str, line: int, column: int) -> None:
    assert _brief(text) == [("SE118", "error", line, column)]


@pytest.mark.parametrize(
    "text",
    [
        "a: ?c1\n",
        "?c1: x\n",
        "a: {c1?: x}\n",
        "a: {c1: x?}\n",
        "a: [x?y, x ?y]\n",
        "a: {'?c1': x}\n",
        'a: ["?"]\n',
        "a: {? b : c}\n",
        "? a\n: b\n",
        "a: [https://example.com/?b=c]\n",
        "a: b # really ?c\n",
    ],
)
def test_question_marks_that_are_read_as_typed_give_nothing(text: str) -> None:
    assert _found(text) == []


@pytest.mark.parametrize("text", ["- a\n - b\n", "x:\n  - a\n    - b\n", "a: b\n  - c\n", "a: [b\n  - c]\n"])
def test_list_item_joined_to_the_text_above_is_a_warning(text: str) -> None:
    (problem,) = _found(text)
    assert (problem.code, problem.severity) == ("SE119", "warning")


@pytest.mark.parametrize(
    "text",
    [
        "- a\n- b\n",
        "a: TN25\n  6QD\n",
        "a: b - c\n",
        "a: b - c\n  d\n",
        "a: >\n  b\n  - c\n",
        'a: "b\n  - c"\n',
        "a: b\n  -c\n",
    ],
)
def test_lists_and_texts_over_several_lines_give_no_warning(text: str) -> None:
    assert _found(text) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: {x: ?y}\n", "put the value into quotes"),
        ("a: [- x]\n", "put the value into quotes"),
        ("a: {x:}\n", "quotes"),
        ("a: %x\n", "put the value into quotes"),
        ("a: @x\n", "put the value into quotes"),
        ("a: `x`\n", "put the value into quotes"),
        ("a: !x y\n", "put a text that begins with ! into quotes"),
        ("a: *x\n", "quote a text that begins with *"),
        ("a: *x y\n", "quote a text that begins with & or *"),
        ("a: [*x y]\n", "quote a text that begins with & or *"),
        ("a: {b: &an:chor c}\n", "quote a text that begins with & or *"),
        ("a: &x,y\n", "quote a text that begins with & or *"),
        ("a: & x\n", "quote a text that begins with & or *"),
        ("a: b\n%c: d\n", "put the text into quotes"),
        ("a: ? b\n", "put the value into quotes"),
        ("a: b: c\n", "quote a value that contains ': '"),
    ],
)
def test_signs_of_yaml_at_the_start_of_a_text_are_refused_with_what_to_write(text: str, words: str) -> None:
    problems = _found(text)
    assert problems
    assert words in " ".join(problem.hint for problem in problems)


def test_every_cut_value_of_a_large_file_is_found() -> None:
    text = "".join(f"- a{number} #b\n- c{number} # d\n" for number in range(3000))
    assert [problem.line for problem in _found(text)] == list(range(1, 6001, 2))


def test_reading_goes_on_after_a_syntax_error_with_the_right_lines() -> None:
    assert _brief("a: b: c\n---\nd: Flat #3\ne: &x y\n") == [
        ("SE104", "error", 1, 5),
        ("SE117", "warning", 3, 9),
        ("SE116", "error", 4, 4),
    ]
