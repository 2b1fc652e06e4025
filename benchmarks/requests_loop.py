"""A loop over requests: one session, one lead a call, as most scripts begin."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import requests


def main(url: str, path: str) -> None:
    """Send every row; the last line of standard output counts what succeeded."""
    applied = 0
    session = requests.Session()
    with Path(path).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            update = {name: row[name] for name in ("postcode", "firstname", "c1")}
            lead = {"id": row["lead_id"], "update": update}
            answer = session.put(
                f"{url}/restapi/v1.3/leads", json={"leads": [lead]}, headers={"X_KEY": "key"}, timeout=30
            )
            answer.raise_for_status()
            applied += answer.json()["leads"][0]["success"]
    print(json.dumps({"applied": applied}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
