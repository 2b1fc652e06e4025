"""A repository whose changesets carry texts wherever a stranger may write one, and what `plan` prints of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from syncengine.core.text import is_blank
from tests.cli.console import run_inside

_SETTINGS = """\
version: 1
accounts:
  acme: {base_url: "http://127.0.0.1:9", api_key: env:LEADBYTE_API_KEY, deliveries: {northwind: "1053"}}
"""
_CHANGESET = """\
version: 1
changeset: carried-%(number)s
account: acme
title: %(title)s
sources: {rows: [{lead: "3%(number)s", also: "7%(number)s", c: %(text)s}]}
changes:
- {id: %(label)s, lead: "1%(number)s", update: {%(name)s: x}}
- {for_each: rows, lead: "{{ row.lead }}", update: {c1: "{{ row.c }}"}}
- {lead: "5%(number)s", trigger: [northwind]}
- {for_each: rows, lead: "{{ row.also }}", financials: {payout: 1, buyer: "{{ row.c }}"}}
"""
_UNSENDABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def sendable(text: str) -> str:
    """Without what no value may hold; one that shows nothing, which is refused, gets a letter."""
    kept = _UNSENDABLE.sub("?", text)
    return f"{kept}x" if is_blank(kept) else kept


def _quoted(text: str) -> str:
    """As YAML writes any text."""
    return '"' + "".join(each if each.isascii() and each.isalnum() else f"\\U{ord(each):08x}" for each in text) + '"'


def view(root: Path, texts: Iterable[str], format_: str) -> str:
    """What `plan` prints: each text is a title, the label of a change, a field, a value and a buyer."""
    root.mkdir()
    (root / "syncengine.yaml").write_text(_SETTINGS)
    for number, text in enumerate(map(sendable, texts)):
        name = "".join(each if each.isprintable() else "?" for each in text).strip()
        # Titles and labels are published, so that they may hold no address.
        published = text.replace("@", "(at)")
        words = {
            "number": f"{number:03}", "title": _quoted(published), "text": _quoted(text),
            "label": _quoted(name.replace("@", "(at)")), "name": _quoted(name),
        }  # fmt: skip
        (root / f"c{number:03}.yaml").write_text(_CHANGESET % words)
    ended = run_inside("plan", ".", "--offline", "--out", "a.plan", "--format", format_, "--show-values", cwd=root)
    assert ended.code == 0, ended.err
    return ended.out
