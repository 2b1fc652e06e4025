"""Which expressions may be written, and how they are rewritten before they are compiled.

Allowed: names, `a.b` and `a['b']`, texts, whole and decimal numbers, lists, filters and tests of the closed lists,
comparisons, `and`, `or`, `not`, `~`, `+`, `-` and `x if y else z`. Everything else is refused by name. Attribute
access becomes item access here, so that a column called "items" is a column and no Python attribute is ever reached;
comparison, arithmetic and output go through functions of our own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection

from jinja2 import nodes

from syncengine.documents import comparisons
from syncengine.documents.did_you_mean import nearest
from syncengine.documents.filters import FILTERS

MAX_NODES = 500
MAX_DEPTH = 40
_MAX_INTEGER = 10**18
_MAX_CONSTANT = 1_000

OWN_FILTERS: dict[str, Callable[..., object]] = {
    "_compare": comparisons.compare,
    "_arithmetic": comparisons.arithmetic,
    "_negative": comparisons.negative,
    "_decimal": comparisons.decimal_constant,
    "_joined": comparisons.joined,
    "_printed": comparisons.printed,
}
"""Reached only by rewriting: these names cannot be written, since a filter's name is looked up in FILTERS."""

TESTS = frozenset({"defined", "undefined", "none"})

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


class Refused(Exception):
    """This expression may not be written; `token` is the word at fault, for its place in the text."""

    def __init__(self, message: str, *, hint: str = "", token: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.token = token


def checked(expression: nodes.Expr, names: Collection[str]) -> nodes.Expr:
    """The expression as it may be compiled; raises Refused."""
    _check_size(expression)
    for node in (expression, *expression.find_all(nodes.Node)):
        _check(node, names)
    return _rewritten(expression)


def _check_size(expression: nodes.Expr) -> None:
    level: list[nodes.Node] = [expression]
    count = depth = 0
    while level:
        count += len(level)
        depth += 1
        if count > MAX_NODES or depth > MAX_DEPTH:
            raise Refused("the expression is too long or nested too deeply", hint="split it over several fields")
        level = [child for node in level for child in node.iter_child_nodes()]


def _check(node: nodes.Node, names: Collection[str]) -> None:
    match node:
        case nodes.Name(name=name):
            _check_name(name, names)
        case nodes.Const(value=value):
            _check_constant(value)
        case nodes.Getattr(attr=attr):
            _check_key(attr)
        case nodes.Getitem(arg=arg):
            _check_item(arg)
        case nodes.Filter():
            _check_filter(node)
        case nodes.Test():
            _check_test(node)
        case _ if not isinstance(node, _PASSED):
            what = type(node).__name__.lower()
            raise Refused(_REFUSED.get(type(node), f"{what} is not allowed in an expression"))


def _check_name(name: str, names: Collection[str]) -> None:
    if name not in names:
        raise Refused(f"the name {name!r} is not known here", hint=nearest(name, names), token=name)


def _check_test(node: nodes.Test) -> None:
    if node.name not in TESTS or node.args or node.kwargs:
        raise Refused(f"the test 'is {node.name}' is not known", hint=nearest(node.name, TESTS), token=node.name)


def _check_key(key: str) -> None:
    if key.startswith("__"):
        raise Refused("names that begin with '__' are not allowed", token=key)


def _check_item(arg: nodes.Expr) -> None:
    if isinstance(arg, nodes.Const):
        if not isinstance(arg.value, str):
            raise Refused("values are looked up by name, as in row['postcode']")
        _check_key(arg.value)
    elif not isinstance(arg, nodes.Name | nodes.Getattr | nodes.Getitem):
        raise Refused("values are looked up by a name or a quoted text, as in row['postcode']")


def _check_constant(value: object) -> None:
    if isinstance(value, str):
        if len(value) > _MAX_CONSTANT:
            raise Refused(f"a text of more than {_MAX_CONSTANT:,} characters stands in the expression")
        if any(0xD800 <= ord(character) <= 0xDFFF for character in value):
            raise Refused("a text in the expression holds half of a surrogate pair, which is no character")
    elif isinstance(value, float):
        if (value != 0 and not 1e-9 < abs(value) < 1e12) or "e" in repr(value):
            raise Refused("a decimal number in the expression is too large, too small or has too many digits")
    elif isinstance(value, int) and abs(value) >= _MAX_INTEGER:
        raise Refused("a number in the expression has more than 18 digits")


def _check_filter(node: nodes.Filter) -> None:
    function = FILTERS.get(node.name)
    if function is None or node.node is None:
        raise Refused(f"the filter {node.name!r} is not known", hint=nearest(node.name, FILTERS), token=node.name)
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise Refused(f"the filter {node.name} takes plain arguments only", token=node.name)
    _check_keywords(node, function)
    try:
        inspect.signature(function).bind(None, *node.args, **dict.fromkeys(_keywords(node)))
    except TypeError:
        least, most = _arity(function)
        wanted = str(most) if least == most else f"{least} or {most}"
        given = len(node.args) + len(node.kwargs)
        message = f"the filter {node.name} takes {wanted} argument{'s' if wanted != '1' else ''}, not {given}"
        raise Refused(message, token=node.name) from None


def _check_keywords(node: nodes.Filter, function: Callable[..., object]) -> None:
    known = list(inspect.signature(function).parameters)[1:]
    given = _keywords(node)
    for name in given:
        if name not in known:
            hint = nearest(name, known) if known else "it takes none"
            raise Refused(f"the filter {node.name} has no argument {name!r}", hint=hint, token=name)
        if given.count(name) > 1:
            raise Refused(f"the argument {name!r} is given twice", token=name)


def _keywords(node: nodes.Filter) -> list[str]:
    return [str(keyword.key) for keyword in node.kwargs]


def _arity(function: Callable[..., object]) -> tuple[int, int]:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return sum(parameter.default is parameter.empty for parameter in parameters), len(parameters)


def _rewritten(node: nodes.Expr) -> nodes.Expr:
    """The same expression over our own operations. Depth is bounded by now, so recursion is safe."""
    match node:
        case nodes.Getattr():
            return nodes.Getitem(_rewritten(node.node), nodes.Const(node.attr), "load", lineno=node.lineno)
        case nodes.Getitem():
            return nodes.Getitem(_rewritten(node.node), _rewritten(node.arg), "load", lineno=node.lineno)
        case nodes.Const(value=float() as value):
            return own_filter("_decimal", nodes.Const(repr(value)))
        case nodes.Compare():
            return _comparison(node)
        case nodes.Concat():
            first, *rest = (_rewritten(part) for part in node.nodes)
            return own_filter("_joined", first, *rest)
        case nodes.Add() | nodes.Sub():
            return own_filter("_arithmetic", _rewritten(node.left), _rewritten(node.right), nodes.Const(node.operator))
        case nodes.Neg():
            return own_filter("_negative", _rewritten(node.node))
    return _with_rewritten_children(node)


def _with_rewritten_children(node: nodes.Expr) -> nodes.Expr:
    for field, value in node.iter_fields():
        if isinstance(value, nodes.Expr):
            setattr(node, field, _rewritten(value))
        elif isinstance(value, list):
            setattr(node, field, [_rewritten_item(item) for item in value])
    return node


def _rewritten_item(item: object) -> object:
    if isinstance(item, nodes.Keyword):  # no expression itself, but its value is one
        return nodes.Keyword(item.key, _rewritten(item.value), lineno=item.lineno)
    return _rewritten(item) if isinstance(item, nodes.Expr) else item


def _comparison(node: nodes.Compare) -> nodes.Expr:
    result: nodes.Expr | None = None
    left = _rewritten(node.expr)
    for operand in node.ops:
        right = _rewritten(operand.expr)
        step = own_filter("_compare", left, right, nodes.Const(operand.op))
        result = step if result is None else nodes.And(result, step)
        left = right
    if result is None:
        raise Refused("a comparison without anything to compare with")
    return result


def own_filter(name: str, value: nodes.Expr, *args: nodes.Expr) -> nodes.Filter:
    """A call of one of OWN_FILTERS."""
    return nodes.Filter(value, name, list(args), [], None, None)
