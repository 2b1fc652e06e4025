"""Honest inputs for each target: the repository's own examples, and a few of what others send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.fuzz import forging

_CHECKOUT = Path(__file__).resolve().parents[2]

_SIGNATURE = b"""-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgJKxoLBJBivUPNTUJUSslQTt2hD
jozKvHarKeN8uYFqgAAAADZm9vAAAAAAAAAFMAAAALc3NoLWVkMjU1MTkAAABAKNC4IEbt
Tq0Fb56xhtuE1/lK9H9RZJfON4o6hE9R4ZGFX98gy0+fFJ/1d2/RxnZky0Y7GojwrZkrHT
FgCqVWAQ==
-----END SSH SIGNATURE-----
"""
_SIGNERS = b"""# people
anna@example.com,ann@example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICSsaCwSQYr1DzU1CVErJUE7doQ46Myrx2qynjfLmBao
bob@example.com namespaces="syncengine-plan,git",valid-before="20301231" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==
*@example.com cert-authority,no-touch-required sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaA==
"""
_CSV = (
    b'lead,c1,payout,observed_at\n2932682,"a, ""b""",80.00,2026-11-20T18:00:00Z\n2932683,,1,2026-11-20T18:00:00+01:00\n'
)
_LINES = (
    b'{"lead": 2932682, "c1": "a", "payout": 80.00, "observed_at": "2026-11-20T18:00:00Z", "x": null}\n'
    b'{"lead": "2932683", "c1": true, "payout": "1", "y": 1e400}\n'
)
_TEMPLATES = (
    b"{{ row.name | upper }} {{ vars.x }}",
    b"{{ row['name'] ~ '-' ~ lead.id | default('y') }}",
    b"{{ row.amount | money | add_percent(10) }}",
    b"row.name == 'Joe' and (row.amount | number) > 5 or row.deep.x is defined",
    b"{{ [row.name, vars.x] | join(' ') | replace('o', '') | truncate(3) }}",
    b"{{ 'a' if row.none is none else 1.5 - 2 }}",
)
_ANSWER = {
    "status": "Success",
    "message": "OK",
    "leads": [
        {"id": "1", "success": True, "message": "Lead updated", "warnings": [], "errors": []},
        {"id": 2, "success": False, "message": "no", "errors": [{"code": 1, "message": "x"}]},
    ],
}
_READ = {"lead": {"id": 2932682, "campaign": {"id": "7"}, "payout": 80.00, "BID": "33", "fields": [{"name": "c1"}]}}
_FAULTS = (
    b'{"latency_ms": 5, "rules": [{"match": {"lead": "1", "count": 2}, "fault": {"effect": "all", "answer":'
    b' {"status": 500, "body": "text", "text": "x"}}}, {"fault": {"delay_before": 0.1, "elements": ["reverse"]}}]}'
)
_LOG = b'{"seq":1,"at":"2026-11-20T18:00:00Z","request":1,"effect":"update","lead":"1","fields":{"c1":"a"}}\n'
_CURL = (
    b"# by hand\n$ curl -sSX PUT 'https://acme.leadbyte.co.uk/restapi/v1.3/leads' \\\n  -H 'X_KEY: k' -d "
    b'\'{"leads": [{"id": "2932682", "update": {"c1": "a"}}]}\'\n'
)
_MONEY = b'{"key": "k", "leads": [2932682, 5], "newPayout": 80.00, "newRevenue": 120, "BID": "33"}'


def seeds_by_target() -> Mapping[str, tuple[bytes, ...]]:
    """Seeds by the name of the target."""
    changesets = _files("specs", "*.yaml") + _files("tests/examples", "*.yaml")
    documents = _files("tests/documents/examples", "*.yaml")
    saved = forging.saved(forging.HONEST)
    return {
        "answer": (
            b"200  \n" + json.dumps(_ANSWER).encode(),
            b"429 identity 17\n<html><title>busy</title></html>",
            b'200  \n{"status": "Warning", "leads": {"1": {"leadId": "4", "success": "true"}}, "errors": ["x"]}',
        ),
        "approval": (_SIGNATURE, _SIGNATURE * 2),
        "changeset": changesets,
        "configuration": _files("specs", "syncengine.yaml") + _files("tests/examples", "syncengine.yaml"),
        "csv_rows": (_CSV, *_files("tests/examples/accepted/data", "*.csv")),
        "faults": (_FAULTS, b'{"fault": {"read": "reset"}}\n{"latency_ms": 3}\n'),
        "forged_plan": (bytes(range(24)), b"\x05\x00\x01"),
        "imported": (_CURL, _MONEY, b'{"leads": [{"id": "1", "action": "reprocess", "triggerDeliveryIds": ["5"]}]}'),
        "imported_table": (_CSV,),
        "json_rows": (_LINES, *_files("tests/examples/accepted/data", "*.jsonl")),
        "lead_schema": _files("specs/schemas", "*.json") + _files("tests/examples", "*.json"),
        "observed_csv": (_CSV,),
        "observed_lines": (_LINES,),
        "parquet_rows": _files("tests/examples/accepted/data", "*.parquet"),
        "plan": (saved,),
        "reading": (json.dumps(_READ).encode(), json.dumps({"data": [_READ]}).encode()),
        "sandbox_leads": (b"id,state,payout,c1\n1,approved,80.00,a\nq2,quarantined,,b\n",),
        "sandbox_log": (_LOG, _LOG + _LOG.replace(b'"seq":1', b'"seq":2')),
        "signers": (_SIGNERS,),
        "statement": (
            b"WITH a AS (SELECT 1) SELECT lead, 'x''y' FROM a -- c\nORDER BY lead;",
            b"VALUES (1) ORDER BY 1",
        ),
        "template": _TEMPLATES,
        "wide_rows": (_CSV.decode().replace(",", "|").encode("utf-16"),),
        "yaml": documents + changesets[:20],
    }


def _files(folder: str, pattern: str) -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted((_CHECKOUT / folder).rglob(pattern)) if path.is_file())
