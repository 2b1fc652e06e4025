"""Strict YAML: texts as typed, places as editors count them, and bounds that hold whatever is thrown at them."""

import gc
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.core.errors import Problem
from syncengine.documents.reader import Mapping, Node, Scalar, Sequence, plain, read_documents


def read(text: str | bytes) -> tuple[Node, list[Problem]]:
    data = text if isinstance(text, bytes) else text.encode()
    documents, problems = read_documents(data, "f.yaml")
    assert documents, problems
    node = documents[0].node
    assert node is not None
    return node, problems


def texts(node: Node) -> list[Any]:
    match node:
        case Scalar():
            return [node.text]
        case Sequence():
            return [text for item in node.items for text in texts(item)]
        case Mapping():
            return [text for key, value in node.entries for text in (key.text, *texts(value))]


@pytest.mark.parametrize(
    "typed",
    [
        "7010",
        "07700900123",
        "yes",
        "No",
        "2001-02-03",
        "1e3",
        "0x1F",
        "12:30:45",
        "1_000",
        "+44 7700",
        ".5",
        "010",
        "=",
    ],
)
def test_a_value_is_the_characters_typed(typed: str) -> None:
    node, problems = read(f"a: {typed}   # why\nb: '{typed}  '\n")
    assert problems == []
    assert texts(node) == ["a", typed, "b", f"{typed}  "]
    assert isinstance(node, Mapping)
    plain_value, quoted_value = node.get("a"), node.get("b")
    assert isinstance(plain_value, Scalar)
    assert isinstance(quoted_value, Scalar)
    assert (plain_value.plain, quoted_value.plain) == (True, False)


@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_places_count_characters(start: str, ending: str) -> None:
    data = (start + ending.join(["# 😀", "a: ü😀", "b: [1,", "  {c: 2}]", "d: 1", "d: 2", ""])).encode()
    documents, problems = read_documents(data, "f.yaml")
    node = documents[0].node
    assert isinstance(node, Mapping)
    places = [(key.line, key.column, value.line, value.column) for key, value in node.entries]
    assert places == [(2, 1, 2, 4), (3, 1, 3, 4), (5, 1, 5, 4)]
    assert [(each.code, each.line, each.column, each.excerpt) for each in problems] == [("SE105", 6, 1, "d: 2")]


def test_a_bom_does_not_move_the_first_line() -> None:
    _, problems = read_documents("\ufeffa: b: c\n".encode(), "f.yaml")
    assert [(each.line, each.column, each.excerpt) for each in problems] == [(1, 5, "a: b: c")]


def test_everything_wrong_is_reported_at_once() -> None:
    text = "a: !!str 1\na: 2\nb: {<<: {}}\nc: {{ x }}\n[d]: 1\n---\ne: b: c\n---\nf: 1\nf: 1\n"
    documents, problems = read_documents(text.encode(), "f.yaml")
    assert [(each.code, each.line) for each in problems] == [
        ("SE106", 1), ("SE105", 2), ("SE107", 3), ("SE108", 4), ("SE109", 5), ("SE104", 7), ("SE105", 10)
    ]  # fmt: skip
    assert [document.line for document in documents] == [1, 8]


def test_of_a_key_that_stands_twice_the_first_is_kept() -> None:
    node, _ = read("a: 1\nb: 2\na: 3\n")
    assert plain(node) == {"a": 1, "b": 2}


def test_an_unquoted_template_is_read_as_the_text_that_was_meant() -> None:
    node, problems = read("a: {{ row.x | default('y') }}\n")
    assert [each.code for each in problems] == ["SE108"]
    assert texts(node) == ["a", "{{ row.x | default('y') }}"]


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("7010", 7010), ("-1", -1), ("010", 10), ("0o17", 15), ("0x1F", 31), ("1e3", 1000.0), (".5", 0.5),
        ("true", True), ("False", False), ("yes", "yes"), ("on", "on"), ("null", None), ("~", None), ("", None),
        ("2001-02-03", "2001-02-03"), ("12:30:45", "12:30:45"), ("1_000", "1_000"), ("1e999", "1e999"),
        (".inf", ".inf"), (".nan", ".nan"), ("9" * 5000, "9" * 5000), ("٣", "٣"),
    ],
)  # fmt: skip
def test_plain_scalars_are_typed_for_schemas_as_yaml_1_2_says(typed: str, value: object) -> None:
    node, _ = read(f"a: {typed}\n")
    assert plain(node) == {"a": value}
    quoted, _ = read(f'a: "{typed}"\n')
    assert plain(quoted) == {"a": typed}


def test_sixty_four_levels_are_read() -> None:
    node, problems = read("[" * 64 + "]" * 64)
    assert problems == []
    _, problems = read_documents(b"[" * 65 + b"]" * 65, "f.yaml")
    assert [each.code for each in problems] == ["SE110"]
    assert node.line == 1


def test_aliases_cannot_nest_deeper_than_brackets() -> None:
    text = f"a: &a {'[' * 50}{']' * 50}\nb: {'[' * 20}*a{']' * 20}\n"
    _, problems = read_documents(text.encode(), "f.yaml")
    assert [each.code for each in problems] == ["SE111"]


def test_a_hundred_aliases_are_read() -> None:
    node, problems = read("a: &a {x: 1}\nb: [" + ", ".join(["*a"] * 100) + "]\n")
    assert problems == []
    assert plain(node)["b"] == [{"x": 1}] * 100


def test_an_empty_document_has_no_node() -> None:
    documents, problems = read_documents(b"---\n---\na: 1\n", "f.yaml")
    assert problems == []
    assert [(document.node is None, document.line) for document in documents] == [(True, 1), (False, 2)]


def test_the_collector_is_left_as_it_was() -> None:
    assert gc.isenabled()
    read_documents(b"a: b: c", "f.yaml")
    assert gc.isenabled()
    gc.disable()
    try:
        read_documents(b"a: 1", "f.yaml")
        assert not gc.isenabled()
    finally:
        gc.enable()


_YAML_PIECES = st.sampled_from(
    ["a", ":", " ", "\n", "- ", "? ", "[", "]", "{", "}", ",", "&x", "*x", "!t", "!!str ", "<<", "'", '"', "|", ">",
     "#", "---", "...", "%", "@", "`", "\\", "\t", "{{", "}}", "{%", "\r", "  ", "0", "\u2028", "😀", "\ufeff", "\0"]
)  # fmt: skip


def _sound(data: bytes) -> None:
    documents, problems = read_documents(data, "f.yaml")
    assert documents or problems
    for problem in problems:
        assert problem.code.startswith("SE1")
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.message
        assert len(problem.excerpt) <= 201
        assert {unicodedata.category(character) for character in problem.excerpt}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
    for document in documents:
        assert isinstance(texts(document.node) if document.node is not None else [], list)
        plain(document.node)


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_documents_or_problems(data: bytes) -> None:
    _sound(data)


@settings(max_examples=1000, deadline=None)
@given(st.lists(_YAML_PIECES, max_size=40).map("".join))
def test_any_mixture_of_yaml_gives_documents_or_problems(text: str) -> None:
    _sound(text.encode())
