"""Conditions of CI files: comparisons joined by && and ||, with !, brackets and functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Value = str | bool | None
_TOKEN = re.compile(r"\s*(&&|\|\||==|!=|!|\(|\)|'[^']*'|\"[^\"]*\"|\$?[A-Za-z_][\w.-]*)")


def evaluate(text: str, look_up: Callable[[str], Value], functions: Mapping[str, Callable[[], bool]]) -> Value:
    """The value: && and || give one of their operands, as on GitHub."""
    tokens = [token for token in _TOKEN.findall(text) if token]
    reader = _Reader(tokens, look_up, functions)
    value = reader.either()
    assert reader.at_end(), text
    return value


class _Reader:
    def __init__(
        self, tokens: list[str], look_up: Callable[[str], Value], functions: Mapping[str, Callable[[], bool]]
    ) -> None:
        self._tokens, self._look_up, self._functions = tokens, look_up, functions

    def at_end(self) -> bool:
        return not self._tokens

    def _take(self, *wanted: str) -> bool:
        if self._tokens and self._tokens[0] in wanted:
            self._tokens.pop(0)
            return True
        return False

    def either(self) -> Value:
        value = self._both()
        while self._take("||"):
            other = self._both()
            value = value or other
        return value

    def _both(self) -> Value:
        value = self._compared()
        while self._take("&&"):
            other = self._compared()
            value = value and other
        return value

    def _compared(self) -> Value:
        value = self._one()
        if self._take("=="):
            return (value or "") == (self._one() or "")
        if self._take("!="):
            return (value or "") != (self._one() or "")
        return value

    def _one(self) -> Value:
        if self._take("!"):
            return not self._one()
        if self._take("("):
            value = self.either()
            assert self._take(")")
            return value
        token = self._tokens.pop(0)
        if token[0] in "'\"":
            return token[1:-1]
        if self._take("("):
            assert self._take(")")
            return self._functions[token]()
        return self._look_up(token)
