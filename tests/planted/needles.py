"""Planted texts that can be recognised, the forms in which they could leak, and the search for them in bytes."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

KEY = "pL4nt3d/K+ey=9f8e7d6c5b4a3f2e1d"
"""An API key that looks different in an address, and long enough that no chance makes it."""

VALUES = {
    "lastname": "Featherstonehaugh-Quux & Söhne",
    "email": "zebedee.quux@planted.example",
    "phone1": "07700900461",
    "street1": "17/19 Überhaus <b>Lane</b>",
}
"""Values of a lead, by field."""


def _in_base64(data: bytes) -> Iterator[bytes]:
    """The characters that stand for `data` wherever it begins, and whatever stands around it."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + data)
        first = -(-before * 8 // 6)
        last = (before + len(data)) * 8 // 6
        yield whole[first:last]
        yield whole[first:last].replace(b"+", b"-").replace(b"/", b"_")


def forms(text: str) -> set[bytes]:
    """Every form of `text` that is looked for."""
    data = text.encode()
    in_json = json.dumps(text)[1:-1]
    written = {text, in_json, in_json.replace("/", "\\/"), repr(text)[1:-1], html.escape(text)}
    written |= {quote(text), quote(text, safe=""), quote_plus(text), data.hex(), data.hex().upper()}
    written |= {text[::-1], text.upper(), text.lower()}
    wide = {text.encode("utf-16-le"), text.encode("utf-16-be")}
    return {each.encode() for each in written} | wide | set(_in_base64(data))


class Search:
    """Looks for planted texts, by name, in whatever it is given; `found` holds what was found where."""

    def __init__(self, planted: Mapping[str, str]) -> None:
        self._forms = {name: forms(text) for name, text in planted.items()}
        self.found: list[str] = []
        self.searched = 0
        self.places: set[str] = set()

    def look(self, where: str, data: bytes | str) -> None:
        """Search one piece."""
        raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        self.searched += len(raw)
        self.places.add(where)
        for name, needles in self._forms.items():
            for needle in needles:
                at = raw.find(needle)
                if at >= 0:
                    around = raw[max(0, at - 60) : at + len(needle) + 20]
                    self.found.append(f"{name} in {where}: {around!r}")

    def look_into(self, folder: Path, *, apart_from: Iterable[Path] = ()) -> None:
        """Search every byte of every file, and the names, apart from these files and folders."""
        left_out = {path.resolve() for path in apart_from}
        for path in sorted(folder.rglob("*")):
            if any(part in left_out for part in (path.resolve(), *path.resolve().parents)):
                continue
            self.look(f"the name of {path}", str(path.relative_to(folder)))
            if path.is_file() and not path.is_symlink():
                self.look(str(path), path.read_bytes())
