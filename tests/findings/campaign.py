"""A generated campaign: leads as they come, with befores in an export. Without mistakes nothing may be found in it."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
from typing import Any

FIRST = ["Jürgen", "Zoë", "Siân", "Ann-Marie", "Olu", "Mohammed", "Łukasz", "Nan", "Joe", "Priya", "José", "Grace"]
LAST = ["O'Brien", "Müller", "Smith", "D'Souza", "Patel", "Null", "van den Berg", "McAllister", "Nguyễn", "Test-Hughes"]
STREETS = ["High Street", "Station Road", "Church Lane", "St. John’s Road", "Flat 3, The Mews", "Rue de l'Église"]
AREAS = ["TN25", "SW1A", "M1", "B33", "EC1A", "CR2", "W1A", "L1", "G12", "AB10"]
TIERS = [(4500, 9000), (8000, 12000), (12000, 19000)]
COLUMNS = ["lead", "firstname", "lastname", "email", "phone1", "postcode", "street1", "dob", "payout", "revenue",
           "buyer", "resale"]  # fmt: skip

Row = dict[str, str]


def money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def rows(seed: int, count: int = 500) -> tuple[list[Row], list[Row]]:
    """What the campaign sets, and what was observed before, lead by lead."""
    dice = random.Random(seed)
    new, old = [], []
    for number in range(count):
        first, last = dice.choice(FIRST), dice.choice(LAST)
        payout, revenue = dice.choices(TIERS, weights=(2, 5, 3))[0]
        plain = "".join(c for c in f"{first}.{last}".lower() if c.isascii() and (c.isalpha() or c == "."))
        row = {
            "lead": str(2_932_000 + number * 3 + dice.randrange(3)),
            "firstname": first,
            "lastname": last,
            "email": f"{plain}{dice.randrange(10**6)}@{dice.choice(['gmail.com', 'mail.co.uk', 'web.de'])}",
            "phone1": f"+4477{dice.randrange(10**7, 10**8)}",
            "postcode": f"{dice.choice(AREAS)} {dice.randrange(1, 10)}{dice.choice('ABDEFGH')}{dice.choice('PQRST')}",
            "street1": f"{dice.randrange(1, 200)} {dice.choice(STREETS)}",
            "dob": f"{dice.randrange(1940, 2005)}-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}",
            "payout": money(payout),
            "revenue": money(revenue),
            "buyer": "33",
            "resale": "yes" if number % 9 == 0 else "no",
        }
        before = row | {
            "firstname": first.upper(),
            "lastname": last if number % 2 else last.lower(),
            "postcode": row["postcode"].replace(" ", "").lower(),
            "street1": row["street1"] + ", old",
            "dob": "",
            "email": row["email"].upper(),
            "phone1": row["phone1"].replace("+44", "0"),
            "payout": money(payout - 250),
            "revenue": money(revenue - 200),
        }
        new.append(row)
        old.append(before)
    return new, old


def as_csv(lines: Sequence[Row], columns: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


CHANGES = """\
- id: repair
  for_each: rows
  lead: "{{ row.lead }}"
  update:
    firstname: "{{ row.firstname }}"
    lastname: "{{ row.lastname }}"
    email: "{{ row.email }}"
    phone1: "{{ row.phone1 }}"
    postcode: "{{ row.postcode }}"
    street1: "{{ row.street1 }}"
    dob: "{{ row.dob }}"
- id: uplift
  for_each: rows
  lead: "{{ row.lead }}"
  financials: {payout: "{{ row.payout }}", revenue: "{{ row.revenue }}", buyer: "{{ row.buyer }}"}
- id: resale
  for_each: rows
  when: row.resale == 'yes'
  lead: "{{ row.lead }}"
  trigger: ["{{ row.delivery | default('1053') }}"]
"""

OBSERVED = [name for name in COLUMNS if name != "resale"]


def plan(
    workspace: Any, new: Sequence[Row], old: Sequence[Row], *, changes: str = CHANGES, more: Sequence[str] = ()
) -> Any:
    """Plan the campaign through the command line; the JSON view."""
    workspace.write("data/rows.csv", as_csv(new, [*COLUMNS, *more]))
    workspace.write("export.csv", as_csv(old, OBSERVED))
    workspace.changeset("campaign", changes, head="sources: {rows: {file: ../data/rows.csv}}\n")
    return workspace.plan("--observed", "export.csv", "--observed-at", "2026-11-20T18:00:00Z")
