"""What `init` writes: a small repository that validates and plans as it is, with one for trials inside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from syncengine.cli.installation import DISTRIBUTION, Installed

SANDBOX = "sandbox"
SANDBOX_PORT = 8089
OWN = ".syncengine"
SANDBOX_KEY = ".syncengine/sandbox.key"
SCHEMAS = ".syncengine/schemas"
ACCOUNT = "acme"
CI_EXTRA = "postgres"
"""What a runner needs beyond the rest: the ledger that all of them share."""

IGNORED = (
    "# syncengine: ledgers, keys, plans and rejected rows never go into git; schemas and signers may",
    "**/.syncengine/*",
    "!**/.syncengine/schemas/",
    "!**/.syncengine/allowed_signers",
    "*.plan",
    "rejects/",
    "*.partly",
    "*.partial",
)


ATTRIBUTES = (
    "# syncengine: git never changes the line endings of what is reviewed, signed and sent",
    "syncengine.yaml -text",
    "**/changesets/** -text",
    "**/data/** -text",
    "**/schemas/** -text",
    "**/.syncengine/** -text",
    "*.csv -text",
    "*.tsv -text",
    "*.jsonl -text",
    "*.ndjson -text",
    "*.plan -text",
    "*.approval -text",
)
"""The last line of .gitattributes that fits a file decides, so these are added at the end."""


class Starter(NamedTuple):
    """One file to write, relative to the folder."""

    path: str
    text: str
    private: bool = False


def repository(ledger_variable: str = "") -> Iterator[Starter]:
    """A configuration, and an example that can be changed into the first changeset.

    `ledger_variable` names the environment variable that holds the ledger's URL; "" for a file in the repository.
    """
    ledger = f"env:{ledger_variable}" if ledger_variable else "sqlite:///.syncengine/ledger.db"
    schema = _schema("syncengine.yaml", "config")
    yield Starter("syncengine.yaml", _CONFIGURATION.format(account=ACCOUNT, schema=schema, ledger=ledger))
    yield from _example("", ACCOUNT)


def sandbox(accounts: list[str], key: str) -> Iterator[Starter]:
    """A configuration for trials, with a ledger of its own, for the same account names."""
    body = "".join(_SANDBOX_ACCOUNT.format(account=name, port=SANDBOX_PORT, key=SANDBOX_KEY) for name in accounts)
    head = _SANDBOX_HEAD.format(schema=_schema("syncengine.yaml", "config"), port=SANDBOX_PORT)
    yield Starter(f"{SANDBOX}/{SANDBOX_KEY}", key + "\n", private=True)
    yield from _example(f"{SANDBOX}/", accounts[0])
    yield Starter(f"{SANDBOX}/syncengine.yaml", head + body + _SANDBOX_TAIL)


def schemas(folder: str, texts: dict[str, str]) -> Iterator[Starter]:
    """The schemas that the `$schema` lines point at, so that editors need no network."""
    for name, text in texts.items():
        yield Starter(f"{folder}{SCHEMAS}/{name}.schema.json", text)


def requirement_lines(installed: Installed) -> str:
    """The lines of a CI file that name what pip installs, two spaces deep."""
    if installed.requirement:
        notes = f"  # {installed.note}.\n" if installed.note else ""
        return f"""\
{notes}  # What pip installs besides requirements.txt: a version, a commit, or a URL with a hash.
  SYNCENGINE: "{installed.requirement}"
"""
    return f"""\
  # To be filled in: what pip installs. The syncengine that wrote this file cannot be named here:
  # {installed.reason}. A version from your index, or a commit:
  #   "{DISTRIBUTION}[{CI_EXTRA}]==VERSION"
  #   "{DISTRIBUTION}[{CI_EXTRA}] @ git+https://HOST/PATH@COMMIT"
  SYNCENGINE: ""
"""


def _example(folder: str, account: str) -> Iterator[Starter]:
    schema = _schema("changesets/example.yaml", "changeset")
    yield Starter(f"{folder}changesets/example.yaml", _CHANGESET.replace("ACCOUNT", account).replace("SCHEMA", schema))
    yield Starter(f"{folder}data/example.csv", _ROWS)


def _schema(path: str, name: str) -> str:
    up = "../" * (len(PurePosixPath(path).parts) - 1)
    return f"{up}{SCHEMAS}/{name}.v1.schema.json"


_CONFIGURATION = """\
# yaml-language-server: $schema={schema}
# This folder is the repository: changesets, data and schemas lie in it and cannot leave it.
version: 1

accounts:
  {account}:                                        # the name that changesets use
    base_url: https://{account}.leadbyte.co.uk      # where the account's API is; https only
    api_key: env:LEADBYTE_API_KEY               # env:NAME or file:PATH; the key itself is never written here
    deliveries: {{northwind: "1053"}}             # names for `trigger`, in place of ids
    buyers: {{northwind: "33"}}                   # names for the buyer of `financials`
    fields:
      public: [c1, source]                      # shown as they are; every other value is masked in views
    # limits: {{requests_per_second: 5, concurrency: 1}}
    # lead_schema: schemas/{account}-lead.schema.json   # a JSON Schema that every update must satisfy

# The record of what was sent. Back up the ledger, and its key apart from it: they alone show what was done.
ledger:
  url: {ledger}
  id: null

# Guardrails, judged when planning and again when applying.
policy:
  max_leads: 500
  max_irreversible: 100
  max_payout: 150.00
  # approvals: {{required: 1, allowed_signers: .syncengine/allowed_signers}}   # signatures by others than the authors
"""

_SANDBOX_HEAD = """\
# yaml-language-server: $schema={schema}
# For trials, against a service on this machine:
#   syncengine sandbox --port {port} --state .syncengine/service
# It has a ledger of its own: what was tried here must never count as done on the real account. To try a changeset of
# yours, copy it and its data into this folder.
version: 1

accounts:
"""

_SANDBOX_ACCOUNT = """\
  {account}:
    base_url: http://127.0.0.1:{port}
    api_key: file:{key}     # the sandbox's own key, good nowhere else
    deliveries: {{northwind: "1053"}}
    buyers: {{northwind: "33"}}
    fields:
      public: [c1, source]
"""

_SANDBOX_TAIL = """
ledger:
  url: sqlite:///.syncengine/ledger.db
  id: null
"""

_CHANGESET = """\
# yaml-language-server: $schema=SCHEMA
# One changeset is the unit of review. Its id is its identity: what was applied under it is never sent twice.
version: 1
changeset: example-first-steps
account: ACCOUNT
title: Correct one lead, then restate what a list of leads was worth

sources:
  restated: {file: ../data/example.csv}     # rows for for_each, relative to this file

changes:
  # What is typed is what is sent: postcodes, phone numbers and words such as yes stay the very characters written.
  - id: one-lead
    lead: "2932682"
    update:
      postcode: TN25 6QD
      c1: corrected
    trigger: [northwind]                    # sent at most once, ever

  # One copy for each row that `when` lets through.
  - id: restated-amounts
    for_each: restated
    when: row.status == 'approved'
    lead: "{{ row.lead_id }}"
    financials:
      payout: "{{ row.payout }}"
      revenue: "{{ row.revenue }}"
      buyer: northwind
"""

_ROWS = """\
lead_id,status,payout,revenue
2932690,approved,80.00,120.00
2932691,approved,82.50,120.00
2932692,rejected,80.00,120.00
"""
