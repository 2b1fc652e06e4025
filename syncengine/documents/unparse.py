"""Reconstructs parts of an expression, for messages that show what to write instead."""

from __future__ import annotations

from jinja2 import nodes

_MOST = 80
_NOT_SIMPLE = " " * (_MOST + 1)
_SIGNS = {"eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "not in"}


def unparsed(node: nodes.Node) -> str:
    """The text of a simple expression; "" for one that is too long or not simple."""
    text = _text(node)
    return text if len(text) <= _MOST else ""


def quoted(text: str) -> str:
    """A text as a literal."""
    mark = '"' if "'" in text else "'"
    return mark + text.replace("\\", "\\\\").replace(mark, "\\" + mark).replace("\n", "\\n") + mark


def _text(node: nodes.Node) -> str:
    match node:
        case nodes.Name(name=name):
            return str(name)
        case nodes.Const(value=value):
            return _literal(value)
        case nodes.Getattr(node=inner, attr=attr):
            return f"{_text(inner)}.{attr}"
        case nodes.Getitem(node=inner, arg=arg):
            return f"{_text(inner)}[{_text(arg)}]"
        case nodes.List(items=items) | nodes.Tuple(items=items):
            return f"[{_joined(items)}]"
        case nodes.Filter(node=nodes.Node() as inner, name=name, args=args):
            return f"{_text(inner)} | {name}" + (f"({_joined(args)})" if args else "")
        case nodes.Compare(expr=expr, ops=[nodes.Operand(op=op, expr=right)]):
            return f"{_text(expr)} {_SIGNS[op]} {_text(right)}"
        case _:
            return _NOT_SIMPLE


def _literal(value: object) -> str:
    if isinstance(value, str):
        return quoted(value)
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _joined(items: list[nodes.Expr]) -> str:
    return ", ".join(_text(item) for item in items)
