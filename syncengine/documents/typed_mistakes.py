"""Recognises syntax of other languages, and of word processors, in expressions, and suggests the text to write instead.

Runs only for an expression that failed to parse, so a valid expression is never questioned.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from typing import NamedTuple

from syncengine.documents.unparse import quoted

_CURLY = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\xab\xbb\u2039\u203a\u2032\u2033\uff02\uff07`\xb4"
_SPAN = re.compile(r"\{\{(?P<inner>(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|.)*?)(?:\}\}|\Z)", re.DOTALL)
_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    rf"|(?P<curly>[{_CURLY}])"
    r"|(?P<open>['\"])"
    r"|(?P<number>\d+(?:\.\d+)?(?!\w))"
    r"|(?P<name>\w+)"
    r"|(?P<sign>[=!]==|==|!=|<>|<=|>=|=>|=<|&&|\|\||.)",
    re.DOTALL,
)
_SIGNS = {
    "===": ("==", "two values are compared by =="),
    "!==": ("!=", "two values that differ are compared by !="),
    "<>": ("!=", "two values that differ are compared by !="),
    "=>": (">=", "at least is written >="),
    "=<": ("<=", "at most is written <="),
    "&&": ("and", "both is written and"),
    "&": ("and", "both is written and"),
    "||": ("or", "one or the other is written or"),
    "=": ("==", "two values are compared by =="),
    "!": ("not ", "the opposite is written not"),
    "\u2260": ("!=", "two values that differ are compared by !="),
    "\u2264": ("<=", "at most is written <="),
    "\u2265": (">=", "at least is written >="),
}
_WORDS = frozenset({"and", "or", "not", "in", "is", "if", "else"})
_OPERATORS = {"equals": "==", "eq": "==", "ne": "!=", "neq": "!=", "gt": ">", "lt": "<", "ge": ">=", "le": "<="}
_NULLS = frozenset({"null", "none", "nil", "undefined"})
_EMPTY = frozenset({"empty", "nothing", "missing"})
_METHODS = {
    **{"lower": "lower", "toLowerCase": "lower", "upper": "upper", "toUpperCase": "upper", "title": "title"},
    **{"strip": "trim", "trim": "trim"},
}
_OPEN_ENDED = frozenset({"and", "or", "not", "in", "is", "==", "!=", "<", ">", "<=", ">=", "~", "|", "else", "if"})
_CONTAINS = frozenset({"contains", "includes", "like", "has"})
_KNOWN = frozenset({"true", "false", "none", "True", "False", "None"})
_COMPARING = frozenset({"==", "!=", "<", ">", "<=", ">="})


class TypedMistake(NamedTuple):
    """The mistake from `start` to `end`, and its replacement."""

    start: int
    end: int
    message: str
    instead: str


class _TypedToken(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


def mistakes_in(text: str, names: Collection[str]) -> list[TypedMistake]:
    """Every mistake in the expressions of a template, in order. `names` are the names that it can use."""
    found: list[TypedMistake] = []
    for span in _SPAN.finditer(text):
        found += _ExpressionScan(span["inner"], span.start("inner"), names).mistakes()
    return found


def corrected(text: str, mistakes: Collection[TypedMistake]) -> str:
    """The text with all mistakes replaced."""
    for mistake in sorted(mistakes, reverse=True):
        text = text[: mistake.start] + mistake.instead + text[mistake.end :]
    return text


def _is_plain_name(token: _TypedToken) -> bool:
    return token.kind == "name" and not token.text[0].isdigit()


def _is_test(sign: _TypedToken, word: _TypedToken, by: int) -> bool:
    """Whether `is none` or `is undefined` is a test of the language."""
    known = word.text in _KNOWN and by == 1 and sign.kind == "name"
    return known or (word.text == "undefined" and sign.text == "is")


class _ExpressionScan:
    """Scans the tokens of one expression from left to right."""

    def __init__(self, text: str, shift: int, names: Collection[str]) -> None:
        self._names = names
        self._text = text
        self._shift = shift
        self._tokens = [
            _TypedToken(str(match.lastgroup), match.group(), match.start(), match.end())
            for match in _TOKEN.finditer(text)
            if match.lastgroup != "space"
        ]
        self._at = 0

    def mistakes(self) -> list[TypedMistake]:
        found = self._truth()
        if found:
            return found
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            before = self._at
            mistake = self._mistake(token)
            if mistake is not None:
                start, end, message, instead = mistake
                found.append(TypedMistake(start + self._shift, end + self._shift, message, instead))
            self._at = max(self._at, before + 1)
        return found or self._unfinished()

    def _truth(self) -> list[TypedMistake]:
        """`TRUE` alone."""
        (token,) = self._tokens if len(self._tokens) == 1 else [_TypedToken("end", "", -1, -1)]
        lowered = token.text.lower()
        if lowered not in ("true", "false") or token.text in _KNOWN:
            return []
        message = f"{token.text!r} is written in small letters: {lowered}"
        return [TypedMistake(token.start + self._shift, token.end + self._shift, message, lowered)]

    def _unfinished(self) -> list[TypedMistake]:
        """`row.status == 'approved' and`."""
        last = self._tokens[-1] if self._tokens else _TypedToken("end", "", -1, -1)
        if last.text not in _OPEN_ENDED:
            return []
        message = f"what belongs behind {last.text!r} is missing"
        return [TypedMistake(last.start + self._shift, last.end + self._shift, message, last.text)]

    def _mistake(self, token: _TypedToken) -> TypedMistake | None:
        match token.kind:
            case "text" if self._is_continued(token):
                return self._apostrophe(token)
            case "text" if runs_over_comparison(token.text):
                return self._quote(token)
            case "curly" | "open":
                return self._quote(token)
            case "sign":
                return self._sign(token)
            case "name":
                return self._column(token) or self._word(token)
        return None

    def _is_continued(self, token: _TypedToken) -> bool:
        """Whether a word follows a text at once, as in 'O'Brien'."""
        following = self._peek()
        return following.kind == "name" and following.start == token.end

    def _peek(self, by: int = 1) -> _TypedToken:
        index = self._at + by
        return self._tokens[index] if 0 <= index < len(self._tokens) else _TypedToken("end", "", -1, -1)

    def _quote(self, token: _TypedToken) -> TypedMistake:
        """A typographic quote, or an unclosed one."""
        start, mark = token.start, token.text[0]
        inner, end, closing = self._until_quote(start + 1)
        typographic = mark in _CURLY or re.search(f"[{_CURLY}]", self._text[start + 1 :]) is not None
        if mark not in _CURLY and closing and closing in _CURLY:
            mark = closing
        message = f"the quote {mark} is never closed"
        if typographic:
            message = f"{mark} is a typographic quote: texts are written between ' and '"
        after_dot = token.kind == "curly" and self._text[:start].endswith(".")
        self._skip_to(end)
        if after_dot:
            message = "the name of a column with spaces belongs in brackets"
            return TypedMistake(start - 1, end, message, f"[{quoted(inner)}]")
        return TypedMistake(start, end, message, quoted(inner))

    def _until_quote(self, start: int) -> tuple[str, int, str]:
        """The text from `start` to the next quote, where it ends, and the quote; "" where there is none."""
        rest = self._text[start:]
        closing = re.search(rf"['\"{_CURLY}]", rest)
        if closing is None:
            return rest.rstrip(), start + len(rest.rstrip()), ""
        return rest[: closing.start()], start + closing.end(), closing.group()

    def _apostrophe(self, token: _TypedToken) -> TypedMistake | None:
        """`'O'Brien'`."""
        end = self._text.find(token.text[0], token.end)
        if end < 0:
            return None
        inner = self._text[token.start + 1 : end]
        self._skip_to(end + 1)
        mark = token.text[0]
        message = f"the text ends at its second {mark}: one that holds it is written between the other kind of quotes"
        return TypedMistake(token.start, end + 1, message, quoted(inner))

    def _skip_to(self, end: int) -> None:
        if end < len(self._text):
            again = _ExpressionScan(self._text[end:], 0, self._names)._tokens
            rest = [_TypedToken(kind, text, start + end, stop + end) for kind, text, start, stop in again]
            self._tokens = [token for token in self._tokens if token.start < end] + rest
            self._at = len(self._tokens) - len(rest)
        else:
            self._at = len(self._tokens)

    def _sign(self, token: _TypedToken) -> TypedMistake | None:
        if token.text == "=" and self._names_an_argument():
            return None
        if token.text == "!" and self._peek().text == "=":
            self._at += 2
            return TypedMistake(token.start, self._peek(-1).end, "'! =' is written in one: !=", "!=")
        instead, meaning = _SIGNS.get(token.text, (token.text, ""))
        compares = instead in ("==", "!=")
        null = self._null(token.start, 1, negated=instead == "!=") if compares else None
        if null or not meaning:
            return null if compares else self._odd_sign(token)
        return self._replaced(token, instead, meaning)

    def _odd_sign(self, token: _TypedToken) -> TypedMistake | None:
        following = self._peek()
        match token.text:
            case ".":
                return self._method(token)
            case "$" if following.text in self._names:
                return TypedMistake(token.start, token.end, "names are written without '$'", "")
            case "|" if following.kind in ("text", "number"):
                return self._replaced(token, "or", "one or the other is written or, and several values: in ['a', 'b']")
            case ";":
                return TypedMistake(token.start, token.end, "';' ends nothing here", "")
            case "?":
                message = "a choice is written 'yes' if row.optin == 'TRUE' else 'no', without '?' and ':'"
                return TypedMistake(token.start, token.end, message, "?")
        if len(token.text) == 1 and unicodedata.category(token.text) in ("Cf", "Cc"):
            return TypedMistake(token.start, token.end, f"an invisible character (U+{ord(token.text):04X})", "")
        return None

    def _method(self, token: _TypedToken) -> TypedMistake | None:
        """`row.status.lower()`."""
        name, brackets = self._peek().text, self._peek(2).text + self._peek(3).text
        if name not in _METHODS or brackets != "()":
            return None
        end = self._peek(3).end
        self._at += 4
        message = f"there are filters in place of calls: | {_METHODS[name]}, not .{name}()"
        return TypedMistake(token.start, end, message, f" | {_METHODS[name]}")

    def _names_an_argument(self) -> bool:
        return self._peek(-1).kind == "name" and self._peek(-2).text in ("(", ",")

    def _replaced(self, token: _TypedToken, instead: str, meaning: str) -> TypedMistake:
        # `a&&b` must not become `aandb`.
        front = " " if instead.isalpha() and self._text[token.start - 1 : token.start].strip() else ""
        back = " " if instead.isalpha() and self._text[token.end : token.end + 1].strip() else ""
        if instead == "not " and self._text[token.end : token.end + 1] == " ":
            instead = "not"
        return TypedMistake(
            token.start, token.end, f"{token.text!r} is not known here: {meaning}", front + instead + back
        )

    def _null(self, start: int, by: int, *, negated: bool) -> TypedMistake | None:
        """`== null`, `is NULL`, `IS NOT NULL`."""
        word, sign = self._peek(by), self._tokens[self._at]
        if word.text.lower() not in _NULLS or _is_test(sign, word, by):
            return None
        self._at += by + 1
        message, test = "an empty cell is an empty text, and none is null", "blank"
        if "row" not in self._names:
            message, test = "a value that is missing is none", "none"
        return TypedMistake(start, word.end, message, f"is not {test}" if negated else f"is {test}")

    def _word(self, token: _TypedToken) -> TypedMistake | None:
        previous = self._peek(-1).text
        if previous in (".", "|"):
            return None
        judged = self._is(token) if token.text.lower() == "is" else None
        judged = judged or self._keyword(token, previous) or self._comparing(token, previous)
        return judged or self._bare(token, previous)

    def _keyword(self, token: _TypedToken, previous: str) -> TypedMistake | None:
        """`AND`, or an `if` in front."""
        lowered = token.text.lower()
        if lowered in _WORDS and token.text != lowered:
            message = f"{token.text!r} is written in small letters: {lowered}"
            return TypedMistake(token.start, token.end, message, lowered)
        if lowered == "if" and previous == "":
            return TypedMistake(token.start, token.end + 1, "a condition has no if in front of it", "")
        return None

    def _comparing(self, token: _TypedToken, previous: str) -> TypedMistake | None:
        """`row.notes contains 'x'`, `row.payout gt 5`."""
        following = self._peek()
        if previous in ("", "(", "is"):
            return None
        if token.text.lower() in _CONTAINS and following.kind == "text" and previous != "not":
            self._at += 2
            message = f"a part of a text is looked for by is containing, not by {token.text}"
            instead = f"is containing({quoted(following.text[1:-1].strip('%'))})"
            return TypedMistake(token.start, following.end, message, instead)
        if token.text in _OPERATORS and following.kind in ("text", "number"):
            return self._replaced(token, _OPERATORS[token.text], f"it is written {_OPERATORS[token.text]}")
        return None

    def _is(self, token: _TypedToken) -> TypedMistake | None:
        """`is NULL`, `is empty`, `is 'approved'`."""
        negated = self._peek().text.lower() == "not"
        by = 2 if negated else 1
        null = self._null(token.start, by, negated=negated)
        word, end = self._peek(by), self._peek(by - 1).end
        if null is not None or word.kind not in ("name", "text", "number"):
            return null
        if word.text.lower() in _EMPTY:
            self._at += by + 1
            test = "is not blank" if negated else "is blank"
            return TypedMistake(token.start, word.end, f"whether a cell is empty is asked by {test}", test)
        if word.kind == "name":
            return None
        sign = "!=" if negated else "=="
        self._at += by
        return TypedMistake(token.start, end, f"two values are compared by {sign}", sign)

    def _bare(self, token: _TypedToken, previous: str) -> TypedMistake | None:
        """A bare word that was meant as a text: `row.status == approved`, `row.optin == TRUE`."""
        following = self._peek().text
        if self._has_meaning(token) or following in (".", "[", "("):
            return None
        if previous == "in":
            listed = f"[{quoted(token.text)}]"
            return TypedMistake(token.start, token.end, f"in takes a list of texts: {listed}", listed)
        if previous not in (*_COMPARING, "[", ",", "=") or following == "=" or self._names_a_column(previous):
            return None
        last = token
        while self._is_bare_too(self._peek()):
            self._at += 1
            last = self._tokens[self._at]
        self._at += 1
        written = self._text[token.start : last.end]
        return TypedMistake(token.start, last.end, f"a text is written in quotes: {quoted(written)}", quoted(written))

    def _has_meaning(self, token: _TypedToken) -> bool:
        return token.text in self._names or token.text in _KNOWN or token.text.lower() in _WORDS

    def _is_bare_too(self, token: _TypedToken) -> bool:
        """Whether a token belongs to the bare words in front of it."""
        return token.kind in ("name", "number") and token.text.lower() not in _WORDS

    def _names_a_column(self, previous: str) -> bool:
        """Whether the bracket in front opens the name of a column, as in row[name], not a list."""
        before = self._peek(-2)
        return previous == "[" and before.kind == "name" and before.text.lower() not in _WORDS

    def _column(self, token: _TypedToken) -> TypedMistake | None:
        """`row.First Name`, `row.First-Name`, `row.2nd`, `row[First Name]`."""
        if token.text != "row" or self._peek(-1).text == ".":
            return None
        following = self._peek().text
        if following == "[" and self._peek(2).kind == "name":
            return self._bracketed(token)
        parts = list(self._column_parts()) if following == "." else []
        if not parts or (len(parts) == 1 and _is_plain_name(parts[0])):
            return None
        name = self._text[parts[0].start : parts[-1].end]
        self._at += 1 + len(parts)
        message = f"the column {name!r} is no single word: it belongs in brackets"
        return TypedMistake(token.start, parts[-1].end, message, f"row[{quoted(name)}]")

    def _column_parts(self) -> Iterator[_TypedToken]:
        """The tokens that were typed as one column's name."""
        by, last = 2, None
        while (part := self._peek(by)).kind in ("name", "number") or part.text == "-":
            if last is not None and not self._goes_on(last, part, self._peek(by + 1)):
                return
            if part.text == "-":
                yield part
                by += 1
                part = self._peek(by)
            yield part
            last = part
            by += 1

    def _goes_on(self, last: _TypedToken, part: _TypedToken, following: _TypedToken) -> bool:
        if part.text == "-":
            joined = part.start == last.end and following.start == part.end
            return joined and following.kind in ("name", "number") and following.text not in self._names
        return part.text.lower() not in _WORDS | _CONTAINS | _OPERATORS.keys()

    def _bracketed(self, token: _TypedToken) -> TypedMistake | None:
        end = self._text.find("]", token.end)
        inner = self._text[self._peek().end : end].strip() if end >= 0 else ""
        if not inner or self._peek(2).text in self._names or not re.fullmatch(r"[\w -]+", inner):
            return None
        self._skip_to(end + 1)
        message = f"the column {inner!r} is written in quotes"
        return TypedMistake(token.start, end + 1, message, f"row[{quoted(inner)}]")


_COMPARISON = re.compile(rf"[{_CURLY}]\s*(?:(?:and|or)\s+[\w(]|==|!=)")


def runs_over_comparison(text: str) -> bool:
    """Whether a quoted text spans a comparison because one of its quotes is typographic."""
    return _COMPARISON.search(text) is not None
