"""The allowlist of expression syntax.

Allowed: names, `a.b` and `a['b']`, texts, whole and decimal numbers, lists, filters and tests of the closed lists,
comparisons, `and`, `or`, `not`, `~`, `+`, `-` and `x if y else z`. Everything else is refused by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from typing import NoReturn

from jinja2 import nodes

from syncengine.documents.did_you_mean import did_you_mean
from syncengine.documents.filters import FILTERS
from syncengine.documents.rendering import Names
from syncengine.documents.rewriting import RewriteRefused
from syncengine.documents.typed_mistakes import runs_over_comparison
from syncengine.documents.unparse import unparsed

MAX_NODES = 500
MAX_DEPTH = 40
_MAX_INTEGER = 10**18
_MAX_CONSTANT = 1_000

TESTS = {"blank": 0, "containing": 1, "defined": 0, "none": 0, "undefined": 0}
"""Tests, each with the number of its arguments."""

_TRUTHS = frozenset({"true", "false", "yes", "no"})

_REFUSED: dict[type[nodes.Node], str] = {
    nodes.Call: "calls are not allowed; use a filter, as in {{ row.name | upper }}",
    nodes.Mul: "'*' is not allowed; for percentages use the filter add_percent",
    nodes.Pow: "'**' is not allowed",
    nodes.Div: "'/' is not allowed",
    nodes.FloorDiv: "'//' is not allowed",
    nodes.Mod: "'%' is not allowed; use ~ to put texts together",
    nodes.Slice: "slices are not allowed; use the filter truncate",
    nodes.Dict: "mappings cannot be written in an expression",
    nodes.Pos: "a leading '+' is not allowed",
}

_PASSED = (
    *(nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr, nodes.Operand),
    *(nodes.Compare, nodes.Concat, nodes.Add, nodes.Sub, nodes.Neg, nodes.Keyword),
)


def check(expression: nodes.Expr, names: Names) -> None:
    """Raises RewriteRefused where the expression uses syntax that is not allowed."""
    _check_size(expression)
    for node in (expression, *expression.find_all(nodes.Node)):
        _check(node, names)


def _check_size(expression: nodes.Expr) -> None:
    level: list[nodes.Node] = [expression]
    count = depth = 0
    while level:
        count += len(level)
        depth += 1
        if count > MAX_NODES or depth > MAX_DEPTH:
            raise RewriteRefused("the expression is too long or nested too deeply", hint="split it over several fields")
        level = [child for node in level for child in node.iter_child_nodes()]


def _check(node: nodes.Node, names: Names) -> None:
    match node:
        case nodes.Name(name=name):
            _check_name(name, names)
        case nodes.Const(value=value):
            _check_constant(value)
        case nodes.Getattr(node=inner, attr=attr):
            _check_key(attr)
            _check_depth(inner, attr)
            _check_holds(inner, attr, names)
        case nodes.Getitem(node=inner, arg=arg):
            _check_item(arg)
            _check_depth(inner, "")
            if isinstance(arg, nodes.Const):
                _check_holds(inner, str(arg.value), names)
        case nodes.Filter():
            _check_filter(node)
        case nodes.Test():
            _check_test(node)
        case _ if not isinstance(node, _PASSED):
            what = type(node).__name__.lower()
            raise RewriteRefused(_REFUSED.get(type(node), f"{what} is not allowed in an expression"))


def _check_holds(inner: nodes.Expr, key: str, names: Names) -> None:
    """A misspelt `op.payot` is none for every operation: a rule about it would never hold."""
    if isinstance(inner, nodes.Name) and (held := names.get(inner.name)) and key not in held:
        hint = did_you_mean(key, held)
        raise RewriteRefused(f"{inner.name} has no {key!r}", hint=hint, token=f"{inner.name}.{key}", code="SE303")


def _check_name(name: str, names: Collection[str]) -> None:
    if name not in names:
        raise RewriteRefused(
            f"the name {name!r} is not known here",
            hint=did_you_mean(name, names) or "there is none",
            token=name,
            code="SE303",
        )


def _check_test(node: nodes.Test) -> None:
    wanted = TESTS.get(node.name)
    if wanted is None:
        _refuse_unknown_test(node)
    if len(node.args or ()) != wanted or _names_arguments(node):
        source = unparsed(node.node) or "row.notes"
        hint = f"write {source} is containing('part')" if wanted else f"write ({source} is {node.name})"
        message = f"'is {node.name}' takes {'one text in brackets' if wanted else 'nothing behind it'}"
        raise RewriteRefused(message, hint=hint, token=node.name)


def _refuse_unknown_test(node: nodes.Test) -> NoReturn:
    hint = did_you_mean(node.name, TESTS)
    if node.name.lower() in _TRUTHS:
        hint = f"compare it: {unparsed(node.node) or 'row.optin'} == '{node.name.upper()}'"
    raise RewriteRefused(f"the test 'is {node.name}' is not known", hint=hint, token=node.name)


def _names_arguments(node: nodes.Test) -> bool:
    """Whether arguments are given by name, or as `*` or `**`."""
    return bool(node.kwargs) or node.dyn_args is not None or node.dyn_kwargs is not None


def _check_key(key: str) -> None:
    if key.startswith("__"):
        raise RewriteRefused("names that begin with '__' are not allowed", token=key)


def _check_item(arg: nodes.Expr) -> None:
    if isinstance(arg, nodes.Const):
        if not isinstance(arg.value, str):
            raise RewriteRefused("values are looked up by name, as in row['postcode']")
        _check_key(arg.value)
    elif not isinstance(arg, nodes.Name | nodes.Getattr | nodes.Getitem):
        raise RewriteRefused("values are looked up by a name or a quoted text, as in row['postcode']")


def _check_depth(inner: nodes.Expr, attr: str) -> None:
    """Refuse `row.a.b`: a column is a single text, so this names nothing unless the column is called "a.b"."""
    match inner:
        case (
            nodes.Getattr(node=nodes.Name(name="row"), attr=column)
            | nodes.Getitem(node=nodes.Name(name="row"), arg=nodes.Const(value=str() as column))
        ):
            source = unparsed(inner)
            hint = f"leave '.{attr}' out; a column with a dot in its name is row['{column}.{attr}']" if attr else ""
            raise RewriteRefused(
                f"{source} is a single text, and has nothing in it", hint=hint, token=f"{source}.{attr}"
            )


def _check_constant(value: object) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, float):
        if (value != 0 and not 1e-9 < abs(value) < 1e12) or "e" in repr(value):
            raise RewriteRefused("a decimal number in the expression is too large, too small or has too many digits")
    elif isinstance(value, int) and abs(value) >= _MAX_INTEGER:
        raise RewriteRefused("a number in the expression has more than 18 digits")


def _check_text(value: str) -> None:
    if runs_over_comparison(value):
        raise RewriteRefused("a text in quotes runs on over the next comparison", hint="write ' on both its sides")
    if len(value) > _MAX_CONSTANT:
        raise RewriteRefused(f"the expression contains a text of more than {_MAX_CONSTANT:,} characters")
    if any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        raise RewriteRefused("a text in the expression holds half of a surrogate pair, which is no character")


def _check_filter(node: nodes.Filter) -> None:
    function = FILTERS.get(node.name)
    if function is None or node.node is None:
        raise RewriteRefused(
            f"the filter {node.name!r} is not known", hint=did_you_mean(node.name, FILTERS), token=node.name
        )
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise RewriteRefused(f"the filter {node.name} takes plain arguments only", token=node.name)
    _check_keywords(node, function)
    try:
        inspect.signature(function).bind(None, *node.args, **dict.fromkeys(_keywords(node)))
    except TypeError:
        least, most = _arity(function)
        wanted = str(most) if least == most else f"{least} or {most}"
        given = len(node.args) + len(node.kwargs)
        message = f"the filter {node.name} takes {wanted} argument{'s' if wanted != '1' else ''}, not {given}"
        raise RewriteRefused(message, token=node.name) from None


def _check_keywords(node: nodes.Filter, function: Callable[..., object]) -> None:
    known = list(inspect.signature(function).parameters)[1:]
    given = _keywords(node)
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known) if known else "it takes none"
            raise RewriteRefused(f"the filter {node.name} has no argument {name!r}", hint=hint, token=name)
        if given.count(name) > 1:
            raise RewriteRefused(f"the argument {name!r} is given twice", token=name)


def _keywords(node: nodes.Filter) -> list[str]:
    return [str(keyword.key) for keyword in node.kwargs]


def _arity(function: Callable[..., object]) -> tuple[int, int]:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return sum(parameter.default is parameter.empty for parameter in parameters), len(parameters)
