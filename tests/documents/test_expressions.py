"""Templates and conditions: what they may say, what they give, and everything they cannot reach."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.documents.expressions import (
    Condition,
    ExpressionProblem,
    Expressions,
    JoinedTemplate,
    RenderError,
    Template,
)
from tests import attacks

EXPRESSIONS = Expressions()
SCOPE = {
    "vars": {"delivery": "1053", "column": "name"},
    "row": {
        "name": "Joe",
        "items": "three",
        "keys": "k",
        "get": "g",
        "payout": "80.10",
        "empty": "",
        "first name": "J",
    },
    "lead": "2932682",
    "changeset": "postcode-repair",
}


def render(text: str, scope: dict[str, object] | None = None) -> str:
    compiled = EXPRESSIONS.compile_value(text)
    assert isinstance(compiled, Template), compiled
    return compiled.render(SCOPE if scope is None else scope)


def condition(text: str) -> bool:
    compiled = EXPRESSIONS.compile_condition(text)
    assert isinstance(compiled, Condition), compiled
    return compiled.evaluate(SCOPE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("a } b }} { c", "a } b }} { c"),
        ("{{ lead }}", "2932682"),
        ("{{lead}}", "2932682"),
        ("{{ changeset }}/{{ vars.delivery }}", "postcode-repair/1053"),
        ("{{ row.items }}{{ row.keys }}{{ row.get }}", "threekg"),
        ("{{ row['first name'] }}", "J"),
        ("{{ row[vars.column] }}", "Joe"),
        (" {{ row.name }}\n\n", " Joe\n\n"),
        ("{{ row.name ~ ' ' ~ lead }}", "Joe 2932682"),
        ("{{ row.payout | number + 5 }}", "85.10"),
        ("{{ 0.1 + 0.2 }}", "0.3"),
        ("{{ 1 - 2 }}", "-1"),
        ("{{ row.none | default('x') }}", "x"),
        ("{{ row.empty | default(row.name) }}", "Joe"),
        ("{{ 'yes' if row.name == 'Joe' else 'no' }}", "yes"),
        ("{{ 'yes' if row.none is defined else 'no' }}", "no"),
        ("{{ [row.name, lead] | join('-') }}", "Joe-2932682"),
        ("{{ '{{' }} {{ '{%' }} {{ '#}' }}", "{{ {% #}"),
        ("{{ row.empty }}", ""),
    ],
)
def test_a_template_gives_a_text(text: str, expected: str) -> None:
    assert render(text) == expected


@pytest.mark.parametrize("attack", attacks.lines("templates"))
def test_attacks_end_in_a_message(attack: str) -> None:
    compiled = EXPRESSIONS.compile_value(attack)
    if isinstance(compiled, ExpressionProblem):
        assert compiled.message
    else:
        with pytest.raises(RenderError) as caught:
            compiled.render(SCOPE)
        assert caught.value.message
        assert "Joe" not in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "{{ " + "(" * 5000,
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{{ " + "not " * 2000 + "true }}",
        "{{ " + "-" * 3000 + "1 }}",
        "{{ row" + ".a" * 3000 + " }}",
        "{{ row.name" + "|upper" * 1000 + " }}",
        "{{ " + " ~ ".join(["row.name"] * 1000) + " }}",
        "{{ " + " and ".join(["true"] * 1000) + " }}",
        "{{ " + "9" * 9000 + " }}",
        "{{ '" + "x" * 9000 + "' }}",
        "{{ [" * 50 + "]}}",
        "{{ row.name }}" * 2000,
        "{{ row.name }}\r\n",
    ],
)
def test_oversized_templates_are_refused(text: str) -> None:
    assert isinstance(EXPRESSIONS.compile_value(text), ExpressionProblem)


@pytest.mark.parametrize(
    "text",
    [
        "{{ row.big }}{{ row.big }}",
        "{{ row.big ~ row.big }}",
        "{{ row.big | replace('a', 'bb') }}",
        "{{ [row.big, row.big] | join('x') }}",
        "{{ row.bigger }}",
        "{{ row.sharp | upper }}",
    ],
)
def test_output_is_bounded(text: str) -> None:
    compiled = EXPRESSIONS.compile_value(text)
    assert isinstance(compiled, Template)
    scope = {"row": {"big": "a" * 6000, "bigger": "a" * 10_001, "sharp": "ß" * 6000}}
    with pytest.raises(RenderError, match="10,000"):
        compiled.render(scope)


def test_data_is_never_a_template() -> None:
    assert render("{{ row.x }}", {"row": {"x": "{{ lead }}{% for %}\n- a: b"}}) == "{{ lead }}{% for %}\n- a: b"


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
@settings(max_examples=200, deadline=None)
def test_joined_texts_stay_apart_whatever_the_data(values: list[str]) -> None:
    names = [f"c{n}" for n in range(len(values))]
    joined = EXPRESSIONS.compile_joined([f"<{{{{ row.{name} }}}}>" for name in names])
    assert isinstance(joined, JoinedTemplate)
    assert joined.render({"row": dict(zip(names, values, strict=True))}) == [f"<{value}>" for value in values]


def test_joined_texts_tell_which_failed() -> None:
    joined = EXPRESSIONS.compile_joined(["{{ row.name }}", "x", "{{ row.nmae }}", "{{ row.none }}"])
    assert isinstance(joined, JoinedTemplate)
    with pytest.raises(RenderError) as caught:
        joined.render(SCOPE)
    assert (caught.value.index, caught.value.hint) == (2, "did you mean 'name'?")


def test_joined_texts_tell_everything_that_cannot_be_compiled() -> None:
    joined = EXPRESSIONS.compile_joined(["{{ x }}", "ok", "{% if %}"])
    assert isinstance(joined, list)
    assert [index for index, _ in joined] == [0, 2]


def test_constant_texts_need_no_template() -> None:
    joined = EXPRESSIONS.compile_joined(["a", "b"])
    assert isinstance(joined, JoinedTemplate)
    assert joined.is_constant
    assert joined.render({}) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "offset", "line", "hint"),
    [
        ("ab {{ rwo.x }}", 6, 1, "did you mean 'row'?"),
        ("{{ row.x | uper }}", 11, 1, "did you mean 'upper'?"),
        ("one\n{{ lead }}\n{{ laed }}", 18, 3, "did you mean 'lead'?"),
    ],
)
def test_problems_point_at_the_word(text: str, offset: int, line: int, hint: str) -> None:
    problem = EXPRESSIONS.compile_value(text)
    assert isinstance(problem, ExpressionProblem)
    assert (problem.offset, problem.line, problem.hint) == (offset, line, hint)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("row.name == 'Joe'", True),
        ("row.name != 'Joe' or lead == '2932682'", True),
        ("row.name in ['Ann', 'Joe'] and row.empty is blank", True),
        ("row.name is containing('oe')", True),
        ("row.name not in ['Joe']", False),
        ("row.payout | number > 80", True),
        ("80 < row.payout | number <= 80.10", True),
        ("row.payout | number == 80.1", True),
        ("row.none is not defined", True),
        ("row.name > 'Ann'", True),
        ("true", True),
    ],
)
def test_conditions(text: str, expected: bool) -> None:
    assert condition(text) is expected


@pytest.mark.parametrize(
    "text",
    ["row.name", "row.payout > 5", "row.payout > '100'", "5 in ['5']", "row.none", "row.name == 5", "row"],
)
def test_conditions_that_would_surprise_fail(text: str) -> None:
    with pytest.raises(RenderError):
        condition(text)


@pytest.mark.parametrize(
    "text", ["", " ", "{{ row.name }}", "row.name ==", "a; b", "row.x }} {{ row.y", "lambda: 1", "x = 1", "none"]
)
def test_conditions_that_are_none(text: str) -> None:
    assert isinstance(EXPRESSIONS.compile_condition(text), ExpressionProblem)


def test_policy_conditions_take_missing_values_as_none() -> None:
    compiled = Expressions(("op", "plan"), missing="none").compile_condition(
        "op.kind == 'financials' and (op.payout or 0) > 200"
    )
    assert isinstance(compiled, Condition)
    assert compiled.evaluate({"op": {"kind": "financials", "payout": Decimal("200.01")}})
    assert not compiled.evaluate({"op": {"kind": "financials", "payout": Decimal("200.00")}})
    assert not compiled.evaluate({"op": {"kind": "financials"}})


@pytest.mark.parametrize("text", ["op.payout and op.payout > 1", "op.payout", "not op.payout", "op.kind or 0"])
def test_policy_conditions_take_no_amount_or_text_for_true(text: str) -> None:
    compiled = Expressions(("op",), missing="none").compile_condition(text)
    if isinstance(compiled, ExpressionProblem):
        assert compiled.code == "SE304"
        return
    for payout in (Decimal(5), Decimal(0), None):
        with pytest.raises(RenderError, match="true or false"):
            compiled.evaluate({"op": {"kind": "financials", "payout": payout}})


_PIECES = st.sampled_from(
    ["{{", "}}", "{%", "%}", "{#", "#}", " ", "row", "lead", ".", "name", "__class__", "[", "]", "(", ")", "'", '"',
     "|", "upper", "replace", "default", "~", "+", "-", "*", "**", "%", "==", "<", "in", "not", "and", "or", "if",
     "else", "is", "defined", "none", "=", "&&", "||", "!", "<>", "AND", "null", "\u2019", "`", "?", ";", "First",
     "blank", "9", "1.5", ",", ":", "\\", "\n", "raw", "for", "set", "é", "\ud7ff", "-}}", "{{-"]
)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.lists(_PIECES, max_size=25).map("".join))
def test_any_text_is_rendered_or_refused(text: str) -> None:
    for source, compiled in (
        (text, EXPRESSIONS.compile_value(text)),
        (text, EXPRESSIONS.compile_value("{{ " + text + " }}")),
        (text, EXPRESSIONS.compile_condition(text)),
    ):
        match compiled:
            case ExpressionProblem():
                assert compiled.message
                assert 0 <= compiled.offset <= len(source) + 3
            case Template():
                assert _rendered(compiled)
            case Condition():
                assert _evaluated(compiled)


def _rendered(template: Template) -> str:
    """The text, or what is wrong, with a mark that tells them apart from nothing."""
    try:
        return "text " + template.render(SCOPE)
    except RenderError as error:
        return error.message


def _evaluated(compiled: Condition) -> str:
    try:
        return str(compiled.evaluate(SCOPE))
    except RenderError as error:
        return error.message
