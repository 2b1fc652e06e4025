"""Lists of what is known to have hurt others, one attack a line; the first lines of each say how it is read."""

from __future__ import annotations

import re
from pathlib import Path

_FOLDER = Path(__file__).parent
_REPEAT = re.compile(r"REPEAT\((\d+),([^)]*)\)")


def lines(name: str) -> list[str]:
    """The attacks of a list as they stand there."""
    written = (_FOLDER / f"{name}.txt").read_text(encoding="ascii").splitlines()
    return [line for line in written if line and not line.startswith("# ")]


def texts(name: str) -> list[str]:
    """The attacks of a list whose lines hold Python's escapes."""
    return [line.encode("ascii").decode("unicode_escape") for line in lines(name)]


def files(name: str, *, head: str = "") -> list[tuple[str, bytes]]:
    """What is expected, and the bytes: escapes are bytes, HEAD is `head`, REPEAT(N,x) is x so many times."""
    found = []
    for line in lines(name):
        expected, _, written = line.partition(" ")
        text = _REPEAT.sub(lambda each: each[2] * int(each[1]), written)
        data = text.encode("ascii").decode("unicode_escape").encode("latin-1")
        found.append((expected, data.replace(b"HEAD", head.encode())))
    return found
