"""Rewrites a checked expression over our own operations before it is compiled.

Attribute access becomes item access, so that a column called "items" is a column and no Python attribute is ever
reached. Comparison, truth, arithmetic and output go through functions of `comparisons`: Jinja's own follow Python,
where any text but '' is true and 'app' is in 'approved'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Never

from jinja2 import nodes, pass_environment

from syncengine.documents import comparisons
from syncengine.documents.filters import kind_of_value, shape
from syncengine.documents.rendering import FilterError
from syncengine.documents.unparse import quoted, unparsed


class RewriteRefused(Exception):
    """The expression is not allowed; `token` is the faulty token, for its position in the text."""

    def __init__(
        self, message: str, *, hint: str = "", token: str = "", code: str = "SE302", after_in: bool = False
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.token = token
        self.code = code
        self.after_in = after_in


@pass_environment
def _entry(environment: Any, group: object, key: object) -> object:
    """The value under a key that comes from data. Messages never show the key: it may be personal."""
    found = environment.getitem(group, key)
    if not comparisons.is_undefined(found):
        return found
    known = group if isinstance(group, dict) else {}
    what = f"a text like {shape(key)}" if isinstance(key, str) else kind_of_value(key)
    return environment.undefined(obj=known, name=str(key), hint=f"there is no entry for {what} here")


def _no_else(_value: object) -> object:
    hint = "write what it is to be otherwise: {{ 'yes' if row.optin == 'TRUE' else 'no' }}"
    raise FilterError("the 'if' does not hold, and there is no 'else'", hint)


OWN_FILTERS: dict[str, Callable[..., object]] = {
    "_true": comparisons.true_or_false,
    "_amount": comparisons.amount_or_none,
    "_eq": comparisons.equal,
    "_ne": comparisons.unequal,
    "_order": comparisons.order,
    "_among": comparisons.among,
    "_among_or_key": comparisons.among_or_key,
    "_among_texts": comparisons.among_texts,
    "_arithmetic": comparisons.arithmetic,
    "_negative": comparisons.negative,
    "_decimal": comparisons.decimal_constant,
    "_joined": comparisons.joined,
    "_printed": comparisons.printed,
    "_entry": _entry,
    "_no_else": _no_else,
}
"""Reachable by rewriting only: users cannot write these names, since filter names are looked up in FILTERS."""

OWN_TESTS: dict[str, Callable[..., bool]] = {
    "blank": comparisons.blank,
    "containing": comparisons.containing,
    "none": comparisons.is_none,
}

_EXAMPLE = "'approved'"
_BOOLEAN = (nodes.Compare, nodes.Not, nodes.And, nodes.Or, nodes.Test)


def own_filter(name: str, value: nodes.Expr, *args: nodes.Expr) -> nodes.Filter:
    """A call of one of OWN_FILTERS."""
    return nodes.Filter(value, name, list(args), [], None, None)


class Rewriting:
    """Rewrites the expressions of one context. Their depth is already limited, so recursion is safe.

    `policy`: values may be none, `X or LITERAL` is an amount, and fields are tested by name.
    """

    def __init__(self, *, policy: bool) -> None:
        self._policy = policy

    def value(self, node: nodes.Expr) -> nodes.Expr:
        """The expression where a value of any kind is expected."""
        match node:
            case nodes.CondExpr():
                otherwise = _without_else() if node.expr2 is None else self.value(node.expr2)
                return nodes.CondExpr(self.truth(node.test, "if"), self.value(node.expr1), otherwise)
            case nodes.Or() if self._policy and _is_amount(node.right):
                return nodes.Or(self._amount(node.left), self.value(node.right))
            case nodes.Compare() | nodes.Not() | nodes.And() | nodes.Or():
                return self._boolean(node)
            case nodes.Getattr() | nodes.Getitem():
                return self._item(node)
        return self._computed(node)

    def _item(self, node: nodes.Getattr | nodes.Getitem) -> nodes.Expr:
        group = self.value(node.node)
        if isinstance(node, nodes.Getattr):
            return nodes.Getitem(group, nodes.Const(node.attr), "load", lineno=node.lineno)
        if isinstance(node.arg, nodes.Const):
            return nodes.Getitem(group, node.arg, "load", lineno=node.lineno)
        return own_filter("_entry", group, self.value(node.arg))

    def _computed(self, node: nodes.Expr) -> nodes.Expr:
        match node:
            case nodes.Const(value=float() as value):
                return own_filter("_decimal", nodes.Const(repr(value)))
            case nodes.Concat():
                first, *rest = (self.value(part) for part in node.nodes)
                return own_filter("_joined", first, *rest)
            case nodes.Add() | nodes.Sub():
                sign = nodes.Const(node.operator)
                return own_filter("_arithmetic", self.value(node.left), self.value(node.right), sign)
            case nodes.Neg():
                return own_filter("_negative", self.value(node.node))
        return self._with_rewritten_children(node)

    def truth(self, node: nodes.Expr, user: str) -> nodes.Expr:
        """The expression where a boolean is expected; `user` is the operator that needs it, "" for a condition."""
        _refuse_literal(node, user, policy=self._policy)
        if isinstance(node, _BOOLEAN):
            return self._boolean(node)
        if isinstance(node, nodes.CondExpr):
            held = self.truth(node.expr1, user)
            otherwise = _without_else() if node.expr2 is None else self.truth(node.expr2, user)
            return nodes.CondExpr(self.truth(node.test, "if"), held, otherwise)
        if isinstance(node, nodes.Const):
            return node
        return own_filter("_true", self.value(node), nodes.Const(user), nodes.Const(unparsed(node)))

    def _boolean(self, node: nodes.Expr) -> nodes.Expr:
        match node:
            case nodes.Not():
                return nodes.Not(self.truth(node.node, "not"))
            case nodes.And() | nodes.Or():
                word = "and" if isinstance(node, nodes.And) else "or"
                _refuse_alternatives(node, word)
                return type(node)(self.truth(node.left, word), self.truth(node.right, word))
            case nodes.Compare():
                return self._comparison(node)
        return self._with_rewritten_children(node)

    def _amount(self, node: nodes.Expr) -> nodes.Expr:
        """The operand before `or LITERAL` in a policy."""
        if isinstance(node, nodes.Or):
            return nodes.Or(self._amount(node.left), self._amount(node.right))
        return own_filter("_amount", self.value(node))

    def _comparison(self, node: nodes.Compare) -> nodes.Expr:
        result: nodes.Expr | None = None
        left = node.expr
        for operand in node.ops:
            step = self._step(left, operand)
            result = step if result is None else nodes.And(result, step)
            left = operand.expr
        if result is None:
            raise RewriteRefused("a comparison without anything to compare with")
        return result

    def _step(self, left: nodes.Expr, operand: nodes.Operand) -> nodes.Expr:
        how, right = operand.op, operand.expr
        if how in ("in", "notin"):
            _refuse_text_after_in(left, right, how)
            found = self._among(left, right)
            return found if how == "in" else nodes.Not(found)
        if not self._policy and (_is_none(left) or _is_none(right)):
            _refuse_none(left if _is_none(right) else right, how)
        if how in ("eq", "ne"):
            return own_filter(f"_{how}", self.value(left), self.value(right))
        return own_filter("_order", self.value(left), self.value(right), nodes.Const(how))

    def _among(self, left: nodes.Expr, right: nodes.Expr) -> nodes.Expr:
        if isinstance(right, nodes.List | nodes.Tuple) and all(_is_text(item) for item in right.items):
            texts = tuple(item.value for item in right.items if isinstance(item, nodes.Const))
            return own_filter("_among_texts", self.value(left), nodes.Const(texts))
        return own_filter("_among_or_key" if self._policy else "_among", self.value(left), self.value(right))

    def _with_rewritten_children(self, node: nodes.Expr) -> nodes.Expr:
        for field, value in node.iter_fields():
            if isinstance(value, nodes.Expr):
                setattr(node, field, self.value(value))
            elif isinstance(value, list):
                setattr(node, field, [self._rewritten_item(item) for item in value])
        return node

    def _rewritten_item(self, item: object) -> object:
        if isinstance(item, nodes.Keyword):  # Not an expression itself, but its value is one.
            return nodes.Keyword(item.key, self.value(item.value), lineno=item.lineno)
        return self.value(item) if isinstance(item, nodes.Expr) else item


def _without_else() -> nodes.Expr:
    return own_filter("_no_else", nodes.Const(None))


def _is_text(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Const) and isinstance(node.value, str)


def _is_none(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Const) and node.value is None


def _is_amount(node: nodes.Node) -> bool:
    """Whether this is a number literal, or none."""
    if isinstance(node, nodes.Neg):
        return _is_amount(node.node)
    return isinstance(node, nodes.Const) and not isinstance(node.value, str | bool)


def _refuse_literal(node: nodes.Expr, user: str, *, policy: bool) -> None:
    """Refuse a literal other than true and false where a boolean is expected, whether or not it would be evaluated."""
    literal = node.node if isinstance(node, nodes.Neg) else node
    kind = _literal_kind(literal)
    if not kind:
        return
    written = unparsed(literal)
    if user:
        message = f"'{user}' takes true or false, and {written or 'this'} is {kind}"
    else:
        message = f"the condition gives {kind}, not true or false"
    match user, kind, written:
        case "or", "a number", _ if policy:
            hint = f"compare what it gives, as in (op.payout or {written}) > 200"
        case "or", "a number", _:
            hint = f"for a value in place of an empty one write default('{written}')"
        case _, _, "none":
            hint = "write true or false, or a comparison: row.status == 'approved'"
        case _, "a list", _:
            hint = "look something up in it, as in row.status in ['approved', 'returned']"
        case _:
            hint = f"compare it with something, as in row.status == {written or _EXAMPLE}"
    raise RewriteRefused(message, hint=hint, token=written, code="SE304")


def _literal_kind(node: nodes.Node) -> str:
    """The kind of a literal other than true and false, for messages; "" for everything else."""
    match node:
        case nodes.List() | nodes.Tuple():
            return "a list"
        case nodes.Const(value=bool()):
            return ""
        case nodes.Const(value=float()):
            return "a number"
        case nodes.Const(value=value):
            return kind_of_value(value)
        case _:
            return ""


def _refuse_alternatives(node: nodes.And | nodes.Or, word: str) -> None:
    """Refuse `row.x == 'a' or 'b'`, where one of several was meant; the error shows the list to write."""
    operands = list(_operands(node, type(node)))
    first = next((operand.value for operand in operands if _is_text(operand)), None)  # type: ignore[attr-defined]
    if first is None:
        return
    written = quoted(first)
    hint = (
        _list_to_write(operands)
        or _of_two_texts(node, word)
        or f"compare it with something, as in row.status == {written}"
    )
    message = f"'{word}' takes true or false, and {written} is a text"
    raise RewriteRefused(message, hint=hint, token=written, code="SE304")


def _list_to_write(operands: Iterable[nodes.Expr]) -> str:
    """`row.x in ['a', 'b']` for `row.x == 'a' or 'b'`; "" where nothing is compared with a text."""
    source, sign = "", ""
    texts: list[str] = []
    for operand in operands:
        match operand:
            case nodes.Compare(
                expr=expr, ops=[nodes.Operand(op="eq" | "ne" as op, expr=nodes.Const(value=str() as text))]
            ):
                if not texts:
                    source, sign = unparsed(expr), "in" if op == "eq" else "not in"
                if source == unparsed(expr):
                    texts.append(text)
            case nodes.Const(value=str() as text) if texts:
                texts.append(text)
    return f"write {source} {sign} [{', '.join(map(quoted, texts))}]" if source else ""


def _of_two_texts(node: nodes.And | nodes.Or, word: str) -> str:
    if not _is_text(node.right):
        return ""
    if _is_text(node.left):
        return f"write row.status in [{unparsed(node.left)}, {unparsed(node.right)}]"
    if word == "or" and unparsed(node.left):
        return f"for a value in place of an empty one write {unparsed(node.left)} | default({unparsed(node.right)})"
    return ""


def _operands(node: nodes.Expr, kind: type[nodes.Expr]) -> list[nodes.Expr]:
    if isinstance(node, nodes.And | nodes.Or) and isinstance(node, kind):
        return [*_operands(node.left, kind), *_operands(node.right, kind)]
    return [node]


def _refuse_text_after_in(left: nodes.Expr, right: nodes.Expr, how: str) -> None:
    """Refuse `in` over a text, which would find every substring and '': ('approved') is a text, not a list."""
    if not isinstance(right, nodes.Const):
        return
    if isinstance(right.value, str):
        what, hint = "a text", _list_hint(left, right, how)
    else:
        what, hint = "a single value", "write row.status in ['approved', 'returned']"
    message = f"'in' needs a list on its right, not {what}"
    raise RewriteRefused(message, hint=hint, token=unparsed(right), code="SE304", after_in=True)


def _list_hint(left: nodes.Expr, right: nodes.Const, how: str) -> str:
    """The list to write in place of the text on the right of `in`."""
    word, test = ("in", "is containing") if how == "in" else ("not in", "is not containing")
    parts = [part.strip() for part in right.value.split(",")]
    several = len(parts) > 1
    if not several and _is_text(left):
        return f"write a list: row.status {word} ['approved', 'returned']"
    listed = ", ".join(map(quoted, filter(None, parts))) or "'approved'"
    hint = f"write a list: {unparsed(left) or 'row.status'} {word} [{listed}]"
    return hint if several else f"{hint}; for a part of a text: row.notes {test}({unparsed(right)})"


def _refuse_none(other: nodes.Expr, how: str) -> Never:
    source = unparsed(other) or "row.status"
    negated = "" if how == "eq" else "not "
    hint = f"write {source} is {negated}blank; where the column may be missing: {source} is {negated}undefined"
    raise RewriteRefused("no value of a file is none: an empty cell is an empty text", hint=hint, token="none")
