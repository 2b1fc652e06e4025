"""Redaction of output: secrets, personal values unless asked for, and characters that deceive a reader.

A mask keeps what a reviewer needs: the length, the first character, whether a value changes, and which values are
equal. It does not make a value anonymous; see docs/security.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from html import escape
from typing import NoReturn
from urllib.parse import quote

MASK = "•"
"""Replaces one hidden character."""

_SHOW_NOTHING = 3
"""Values up to this length are masked completely."""

_SHOW_END = 6
"""Values longer than this also show their last two characters."""

_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {chr(c) for c in range(0xFE00, 0xFE10)}
"""Printable by category, yet invisible when rendered."""

_NAMED = {127: "␡"}


class Secret:
    """A text that only `reveal` returns. Printing, formatting, copying, pickling and JSON never show it.

    `shown` is printed in its place.
    """

    __slots__ = ("__forms", "__shown", "__text")

    def __init__(self, text: str, *, shown: str = "[api key]") -> None:
        self.__text = text
        self.__shown = shown
        self.__forms = _forms(text)

    def reveal(self) -> str:
        """The text itself, for the one caller that uses it."""
        return self.__text

    def hide_in(self, text: str) -> str:
        """`text` with every occurrence of the secret replaced, since a service may quote the key that it refuses.

        Finds the plain text and its URL-encoded, HTML-escaped and JSON-escaped forms.
        """
        for form in self.__forms:
            text = text.replace(form, self.__shown)
        return text

    def __repr__(self) -> str:
        return self.__shown

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return self.__shown

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Called by copy.copy and copy.deepcopy as well."""
        raise TypeError("a secret cannot be pickled or copied")


def _forms(text: str) -> tuple[str, ...]:
    """Encodings in which a service may quote a text, the longest first."""
    quoted = quote(text, safe="")
    lower = re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
    written = {text, quoted, lower, quote(text), escape(text), text.replace("/", "\\/")}
    return tuple(sorted(filter(None, written), key=len, reverse=True))


class Environment(Mapping[str, str]):
    """The environment variables of a process. They may hold keys, so printing this or an object that holds it shows
    none."""

    __slots__ = ("__variables",)

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.__variables = variables

    def __getitem__(self, name: str) -> str:
        return self.__variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.__variables)

    def __len__(self) -> int:
        return len(self.__variables)

    def __repr__(self) -> str:
        return f"[{len(self)} environment variables]"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("an environment cannot be pickled or copied")


def mask(value: str) -> str:
    """`value` with its characters hidden: all of up to three; otherwise all but the first and, past six, the last
    two."""
    length = len(value)
    if length <= _SHOW_NOTHING:
        return MASK * length
    if length <= _SHOW_END:
        return value[0] + MASK * (length - 1)
    return value[0] + MASK * (length - 3) + value[-2:]


def visible(text: str) -> str:
    """`text` on one line, safe for a terminal: control, bidirectional and invisible characters become visible marks.

    Escape becomes "␛", a line feed "␊", a right-to-left override "<U+202E>". Ordinary text comes back unchanged.
    """
    if text.isascii() and text.isprintable():
        return text
    if text.isprintable() and _INVISIBLE.isdisjoint(text):
        return text
    return "".join(map(_mark, text))


def _mark(character: str) -> str:
    if character.isprintable() and character not in _INVISIBLE:
        return character
    point = ord(character)
    if point < 32:
        return chr(0x2400 + point)
    return _NAMED.get(point, f"<U+{point:04X}>")


def shown(value: str) -> str:
    """An unmasked value for display: visible, and quoted where leading or trailing space would be missed."""
    text = visible(value)
    return f'"{text}"' if not value or value != value.strip(" ") else text


class Masker:
    """Masks the values of one view.

    If two different values of one field have the same mask, the later one gets a number: "T•••••QD" and "T•••••QD#2".
    Beyond `limit` remembered values, a mask that may be ambiguous ends in "#?". `exact` is for machine-readable output:
    values that may be shown are returned character by character, without marks or quotes.
    """

    def __init__(
        self, public: Collection[str] = (), *, show_values: bool = False, exact: bool = False, limit: int = 500_000
    ) -> None:
        self._exact = exact
        self._public = frozenset(public)
        self._show_values = show_values
        self._limit = limit
        self._remembered = 0
        self._numbers: dict[tuple[str, str], dict[bytes, int]] = {}

    def is_public(self, field: str) -> bool:
        """Whether values of this field are shown unmasked."""
        return self._show_values or field in self._public

    def show(self, field: str, value: str) -> str:
        """`value` as this view may show it."""
        if not value or self.is_public(field):
            return value if self._exact else shown(value)
        masked = mask(value) if self._exact else visible(mask(value))
        number = self._number(field, masked, value)
        if number == 0:
            return f"{masked}#?"
        return masked if number == 1 else f"{masked}#{number}"

    def _number(self, field: str, masked: str, value: str) -> int:
        known = self._numbers.get((field, masked))
        # Digests, so that a long view does not hold a second copy of long values.
        print_ = hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=12).digest()
        if known is not None and print_ in known:
            return known[print_]
        if self._remembered >= self._limit:
            return 0
        self._remembered += 1
        if known is None:
            self._numbers[field, masked] = {print_: 1}
            return 1
        known[print_] = len(known) + 1
        return known[print_]
