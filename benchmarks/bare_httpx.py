"""The bare script: asynchronous httpx, 8 connections, 100 leads a request, no memory of anything."""

from __future__ import annotations

import asyncio
import csv
import json
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import httpx

CONNECTIONS = 8
LEADS = 100


async def main(url: str, path: str) -> None:
    """Send every row; the last line of standard output counts what succeeded."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        async with httpx.AsyncClient(base_url=url, limits=limits, headers={"X_KEY": "key"}, timeout=30) as client:
            done = await asyncio.gather(*(_worker(client, rows) for _ in range(CONNECTIONS)))
    print(json.dumps({"applied": sum(done)}))


async def _worker(client: httpx.AsyncClient, rows: Any) -> int:
    applied = 0
    while batch := list(islice(rows, LEADS)):
        leads = [
            {"id": row["lead_id"], "update": {name: row[name] for name in ("postcode", "firstname", "c1")}}
            for row in batch
        ]
        answer = await client.put("/restapi/v1.3/leads", json={"leads": leads})
        answer.raise_for_status()
        applied += sum(lead["success"] for lead in answer.json()["leads"])
    return applied


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
