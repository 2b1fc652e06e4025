"""Plans with sums that are right, whatever their content: what somebody could make who writes plan files."""

from __future__ import annotations

import hashlib
import json
from typing import Any

_CHECKSUM = b',"checksum":"'
_ID = "1" + "a" * 39
HONEST: dict[str, Any] = {
    "header": {
        "format": 1, "account": "acme", "identity": "acme", "host": "loopback",
        "policy_digest": "a" * 64, "wire_digest": "b" * 64, "observed": "",
    },
    "provenance": {
        "created": "2026-11-23T14:02:11.000000Z", "tool": "syncengine 0", "ledger_id": None, "ledger_position": 0,
        "ledger_note": "",
    },
    "operations": [
        {
            "id": _ID, "changeset": "repair", "change": "#1", "entry": 1,
            "operation": {"kind": "update", "lead": "2932682", "fields": {"postcode": "TN25 6QD", "c1": "a"}},
            "origin": {"file": "changesets/a.yaml", "line": 3, "column": 1, "row": None},
            "state": "to_send", "reason": "", "send": ["postcode"],
            "before": {"postcode": {"origin": "observed", "value": "TN25", "by": "2026-11-20T18:00:00.000000Z"}},
            "facts": 0, "done": [], "names": [],
        },
        {
            "id": "1" + "b" * 39, "changeset": "repair", "change": "#1", "entry": 1,
            "operation": {"kind": "trigger", "lead": "2932682", "delivery": "1053", "generation": 2},
            "origin": {"file": "changesets/a.yaml", "line": 3, "column": 1, "row": 7},
            "state": "blocked", "reason": "repeat", "send": [], "before": {}, "facts": 3, "done": ["run 1"],
            "names": [],
        },
        {
            "id": "1" + "c" * 39, "changeset": "repair", "change": "money", "entry": 2,
            "operation": {"kind": "financials", "lead": "2932683", "payout": 8000, "revenue": 12000, "buyer": "33"},
            "origin": {"file": "changesets/a.yaml", "line": 5, "column": 1, "row": None},
            "state": "to_send", "reason": "", "send": ["payout", "revenue"],
            "before": {"payout": {"origin": "ledger", "value": "70.00", "by": "other"}}, "facts": 1, "done": [],
            "names": [],
        },
    ],
    "covered": {
        "counts": {"total": 3, "to_send": 2, "blocked": 1, "leads": 2, "entries": 2, "update": 1, "financials": 1,
                   "payout": 8000, "revenue": 12000},
        "blocked": [{"operation": "1" + "b" * 39, "lead": "2932682", "kind": "trigger", "reason": "repeat"}],
        "changesets": [{"id": "repair", "title": "Repair", "file": "changesets/a.yaml", "vars": {}, "sources": {}}],
        "changes": [{"changeset": "repair", "change": "#1", "source": "rows", "file": "data/a.csv", "rows": 3,
                     "taken": 2}],
        "findings": [{"rule": "rows-taken", "severity": "info", "message": "took 2 of 3 rows", "changeset": "repair",
                      "change": "#1", "count": 1, "leads": [], "evidence": []}],
    },
    "beside": {
        "warnings": ["look here"], "notes": ["a note"], "parts": {"policy": "0" * 64},
        "findings": [{"rule": "last-run", "severity": "medium", "message": "another policy", "evidence": [
            {"lead": "2932682", "field": "postcode", "after": "x", "file": "a.csv", "line": 3}]}],
        "authors": {"repair": ["a@example.com"]}, "lines": {"repair": 2},
    },
}  # fmt: skip

NASTY: tuple[Any, ...] = (
    None, True, 0, -1, 2**31, 2**63 - 1, 2**63, 2**64, 10**40, -(10**40), 1.5, 1e308, "", " ", "\0", "\x1b[2J",
    "\x9b31m", "\u202egnp.exe", "a\nb", "::error::x", "##[stop-commands]x", "<script>alert(1)</script>", "]]>",
    "`" * 40, "|" * 9, "=cmd|' /C calc'!A0", "../../../../etc/passwd", "/dev/zero", "2932682\n", "02932682", "٣",
    "x" * 70_000, "-" * 300, "9999-12-31T23:59:59Z", "to_send", "update", [], {}, [[]], {"a": "b"}, {"": ""},
    ["x"] * 3, {"kind": "update"}, "{{ row }}", "%s%n", "\ud7ff", "\U0010ffff", "e\u0301" * 50, "1e400", "NaN",
    "-0", "00.001",
)  # fmt: skip


def plan(data: bytes) -> bytes:
    """A plan file; each three bytes of `data` put something nasty in one place of an honest one."""
    content = json.loads(json.dumps(HONEST))
    for start in range(0, min(len(data) - 2, 24), 3):
        _spoil(content, data[start] + 256 * (data[start + 1] & 3), NASTY[data[start + 2] % len(NASTY)])
    if data[-1:] == b"\0" and isinstance(content["operations"], list):
        content["operations"] = content["operations"] * 50
    return saved(content)


def saved(content: dict[str, Any]) -> bytes:
    """The file for this content, with its digest and checksum."""
    first = _encoded({"syncengine_plan": 2, "header": content.get("header"), "provenance": content.get("provenance")})
    operations = content.get("operations")
    lines = b"".join(_encoded(each) for each in operations) if isinstance(operations, list) else b""
    covered = _covered(content)
    digest = hashlib.sha256(_header(content) + lines + covered).hexdigest()
    footer = (
        b'{"digest":' + json.dumps(digest).encode() + b',"covered":' + covered[:-1] + b',"beside":'
        + _encoded(content.get("beside"))[:-1] + _CHECKSUM
    )  # fmt: skip
    return summed(first + lines + footer)


def summed(plan: bytes) -> bytes:
    """A plan file, or one that ends where its checksum begins, with the checksum that fits."""
    body = plan[: plan.rindex(_CHECKSUM) + len(_CHECKSUM)]
    return body + hashlib.sha256(body).hexdigest().encode() + b'"}\n'


def _header(content: dict[str, Any]) -> bytes:
    """As the reader encodes it again; anything else where it cannot be read, which the reader finds first."""
    import msgspec

    from syncengine.core.plan import PlanHeader

    try:
        return msgspec.json.encode(msgspec.convert(content.get("header"), PlanHeader)) + b"\n"
    except msgspec.ValidationError:
        return b""


def _covered(content: dict[str, Any]) -> bytes:
    import msgspec

    from syncengine.planning.planfile import _Covered

    try:
        return msgspec.json.encode(msgspec.convert(content.get("covered"), _Covered)) + b"\n"
    except msgspec.ValidationError:
        return _encoded(content.get("covered"))


def _encoded(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _spoil(content: Any, choice: int, value: Any) -> None:
    """Replace the place number `choice`, counted through the whole tree and round again."""
    places: list[tuple[Any, Any]] = []
    level: list[Any] = [content]
    while level:
        holder = level.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            places.append((holder, key))
            if isinstance(holder[key], dict | list):
                level.append(holder[key])
    if places:
        holder, key = places[choice % len(places)]
        holder[key] = json.loads(json.dumps(value))
