"""The folder that every contestant works on: rows, a changeset over them, a configuration, a lead schema."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

FIRST_LEAD = 1_000_000
_NAMES = ("Joe", "Ann", "Priya", "Oluwaseun", "Zoë", "Siobhán", "Mohammed", "Chloe")
_PLACES = ("TN25 6QD", "SW1A 1AA", "M1 1AE", "EH1 1YZ", "CF10 1EP", "BT1 5GS", "L1 8JQ", "B33 8TH")
_SOURCES = ("GoogleAdWords", "Bing", "Facebook", "newsletter")

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "postcode": {"type": "string", "pattern": "^[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}$"},
        "firstname": {"type": "string", "minLength": 1, "maxLength": 60},
        "c1": {"type": "string", "enum": list(_SOURCES)},
    },
    "additionalProperties": False,
}


def rows(count: int, first: int = FIRST_LEAD) -> Any:
    """(lead_id, postcode, firstname, c1), `count` times."""
    for number in range(count):
        yield str(first + number), _PLACES[number % 8], _NAMES[number // 8 % 8], _SOURCES[number % 4]


def write_csv(path: Path, count: int, first: int = FIRST_LEAD) -> Path:
    """The rows as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("lead_id", "postcode", "firstname", "c1"))
        writer.writerows(rows(count, first))
    return path


def write_addresses(path: Path, count: int) -> Path:
    """A table of e-mail addresses whose leads the loopback server knows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("email", "firstname", "c1"))
        writer.writerows((f"person{lead}@example.com", firstname, c1) for lead, _, firstname, c1 in rows(count))
    return path


def write_json_lines(path: Path, count: int, first: int = FIRST_LEAD) -> Path:
    """The rows as JSON Lines."""
    with path.open("w", encoding="utf-8") as file:
        for lead, postcode, firstname, c1 in rows(count, first):
            row = {"lead_id": lead, "postcode": postcode, "firstname": firstname, "c1": c1}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def write_parquet(path: Path, source: Path) -> Path:
    """The rows of a CSV as Parquet, all of them text."""
    statement = f"COPY (SELECT * FROM read_csv('{source}', all_varchar = true)) TO '{path}' (FORMAT parquet)"
    # In a process of its own: a child's peak of memory begins with what its parent holds.
    subprocess.run([sys.executable, "-c", "import duckdb, sys; duckdb.sql(sys.argv[1])", statement], check=True)
    return path


def changeset(path: Path, source: Path, relative: str = "") -> Path:
    """A changeset with three templated fields for every row of `source`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "version: 1\nchangeset: repair-2026-11\naccount: acme\ntitle: Repair captured fields\n"
        f"sources:\n  captured: {{file: {relative or f'../{source.name}'}}}\n"
        'changes:\n  - for_each: captured\n    lead: "{{ row.lead_id }}"\n    update:\n'
        '      postcode: "{{ row.postcode }}"\n      firstname: "{{ row.firstname }}"\n      c1: "{{ row.c1 }}"\n',
        encoding="utf-8",
    )
    return path


def financial_changeset(path: Path, source: Path) -> Path:
    """One payout and revenue for every row of `source`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "version: 1\nchangeset: restate-2026-11\naccount: acme\ntitle: Restate one campaign\n"
        f"sources:\n  captured: {{file: ../{source.name}}}\n"
        'changes:\n  - for_each: captured\n    lead: "{{ row.lead_id }}"\n'
        '    financials: {payout: 80.00, revenue: 120.00, buyer: "33"}\n',
        encoding="utf-8",
    )
    return path


def literal_yaml(path: Path, count: int) -> Path:
    """A changeset that writes every lead out by hand."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.write("version: 1\nchangeset: by-hand-2026-11\naccount: acme\ntitle: Written by hand\nchanges:\n")
        for lead, postcode, firstname, c1 in rows(count):
            file.write(
                f'  - lead: "{lead}"\n    update:\n      postcode: {postcode}\n      firstname: {firstname}\n'
                f"      c1: {c1}\n"
            )
    return path


def configuration(
    folder: Path, url: str, *, ledger: str = "sqlite:///.syncengine/ledger.db", schema: bool = True, **limits: Any
) -> Path:
    """syncengine.yaml (JSON is YAML): 8 connections, 100 leads a request, no pace."""
    if schema:
        (folder / "lead.schema.json").write_text(json.dumps(SCHEMA), encoding="utf-8")
    key = folder / "api.key"
    key.write_text("key")
    key.chmod(0o600)
    account: dict[str, Any] = {
        "base_url": url,
        "api_key": "file:api.key",
        "limits": {"requests_per_second": 100_000, "concurrency": 8, "leads_per_request": 100, **limits},
    }
    if schema:
        account["lead_schema"] = "lead.schema.json"
    path = folder / "syncengine.yaml"
    path.write_text(json.dumps({"version": 1, "accounts": {"acme": account}, "ledger": {"url": ledger}}))
    return path
