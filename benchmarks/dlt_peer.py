"""dlt as a reverse-ETL tool: rows through its pipeline into a custom destination, 100 a call, 8 workers, state kept."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import requests


def main(url: str, path: str, folder: str) -> None:
    """Send every row; the last line of standard output counts what succeeded."""
    session = requests.Session()
    applied = 0

    @dlt.destination(batch_size=100, name="leadbyte", naming_convention="direct", skip_dlt_columns_and_tables=True)
    def leadbyte(items: Any, _table: Any) -> None:
        nonlocal applied
        leads = [
            {"id": str(row["lead_id"]), "update": {name: row[name] for name in ("postcode", "firstname", "c1")}}
            for row in items
        ]
        answer = session.put(f"{url}/restapi/v1.3/leads", json={"leads": leads}, headers={"X_KEY": "key"}, timeout=30)
        answer.raise_for_status()
        applied += sum(lead["success"] for lead in answer.json()["leads"])

    def rows() -> Iterator[dict[str, str]]:
        with Path(path).open(newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)

    pipeline = dlt.pipeline(pipeline_name="leads", destination=leadbyte, pipelines_dir=folder)
    pipeline.run(rows(), table_name="leads")
    print(json.dumps({"applied": applied}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3])
