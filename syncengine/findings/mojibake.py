"""Text that was decoded with the wrong encoding."""

from __future__ import annotations

import re
from collections.abc import Iterable

from syncengine.findings.operations import Column
from syncengine.findings.rule import Description
from syncengine.findings.values import Mistake, ValueRule

_UNDEFINED = {0x81, 0x8D, 0x8F, 0x90, 0x9D}
"""Bytes that windows-1252 leaves open; browsers and databases make C1 controls of them."""
_TO_BYTE = {
    ord(character): byte
    for byte in range(0x80, 0x100)
    for character in (chr(byte) if byte in _UNDEFINED else bytes([byte]).decode("cp1252"))
}
_CONTINUATIONS = "".join(re.escape(chr(point)) for point, byte in _TO_BYTE.items() if byte < 0xC0)
_SUSPECT = re.compile(f"[\u00c2-\u00f4][{_CONTINUATIONS}]|\ufffd")

_DECODED: Mistake = ("text decoded with the wrong encoding, as in Ã© for é", "high")
_LOST: Mistake = ("characters that were lost in decoding (U+FFFD)", "high")


class Mojibake(ValueRule):
    """UTF-8 that was read as windows-1252."""

    about = Description(
        name="mojibake",
        severity="high",
        threshold="text that encodes as windows-1252 and then decodes as UTF-8 to something shorter; U+FFFD",
        example="ZoÃ« for Zoë",
    )

    def may_hold(self, column: Column) -> bool:
        return not column.ascii and _SUSPECT.search(column.joined) is not None

    def mistakes(self, value: str) -> Iterable[Mistake]:
        if value.isascii():
            return
        if "\ufffd" in value:
            yield _LOST
        elif is_mojibake(value):
            yield _DECODED


def is_mojibake(value: str) -> bool:
    """Whether the text makes sense as UTF-8 once its characters are taken as windows-1252."""
    data = bytearray()
    for character in value:
        point = ord(character)
        byte = point if point < 0x80 else _TO_BYTE.get(point)
        if byte is None:
            return False
        data.append(byte)
    try:
        return len(data.decode("utf-8")) < len(value)
    except UnicodeDecodeError:
        return False
