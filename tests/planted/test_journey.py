"""One journey through every command, with a planted key and planted lead data, and a search of all that it left behind.

Commands run as they do for users: in processes of their own, with logs at debug level and tracebacks asked for.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyrage
import pytest

from syncengine.cli.commands import COMMANDS
from syncengine.sandbox import Key, Sandbox, SandboxOptions, parse_script
from tests.cli.console import SCRIPT, Ended, environment
from tests.workspace import Workspace

from .needles import KEY, VALUES, Search

LEADS = ("2932682", "2932683", "2932684")
FIELDS = "{" + ", ".join(f"{name}: {json.dumps(value)}" for name, value in VALUES.items()) + "}"
CHANGES = f"""
- id: names
  lead: "{LEADS[0]}"
  update: {FIELDS}
  trigger: [northwind]
- lead: "{LEADS[1]}"
  update: {FIELDS}
  financials: {{payout: 41.50, buyer: northwind}}
- lead: "{LEADS[2]}"
  update: {FIELDS}
"""
ECHO = f"Key {KEY} may not set lastname to {VALUES['lastname']} nor phone to {VALUES['phone1']}"
PLAN_FORMATS = ("text", "markdown", "html", "json")


@dataclass
class Journey:
    """What was run, and everything that it printed."""

    workspace: Workspace
    printed: dict[str, str] = field(default_factory=dict)
    verbs: set[str] = field(default_factory=set)

    @property
    def root(self) -> Path:
        return self.workspace.root

    def run(self, *words: str | Path, code: int | None = 0, stdin: str = "", **env: str) -> Ended:
        """A process; what it prints is kept for the search."""
        common = ["--log-level", "debug", "--log-format", "json"]
        done = subprocess.run(
            [SCRIPT, *map(str, words), *common],
            cwd=self.root,
            env=environment(**{"LEADBYTE_API_KEY": KEY, "SYNCENGINE_DEBUG": "1"} | env),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        ended = Ended(done.returncode, done.stdout, done.stderr)
        assert code is None or ended.code == code, (words, ended)
        self.verbs.add(str(words[0]))
        where = f"{len(self.printed)}: {' '.join(map(str, words))}"
        self.printed[where] = ended.out + "\n" + ended.err
        return ended

    def holding_values(self) -> list[Path]:
        """Where lead data may be: changesets, sources, plain plans, what `revert`, `import` and `lookup` write."""
        files = ["changesets", "observed.csv", "back.yaml", "imported.yaml", "request.json"]
        files += ["people.csv", "found.csv", "rejected.csv"]
        plans = ["release.plan", "next.plan"]
        return [self.root / name for name in (*files, *plans)]


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    folder = tmp_path_factory.mktemp("planted")
    (folder / "repository").mkdir()
    options = SandboxOptions(state=folder / "sandbox", any_lead=True, keys=[Key(text=KEY)])
    with Sandbox(options).start() as sandbox:
        workspace = Workspace(folder / "repository", sandbox, limits=", settle: 0, attempts: 2, leads_per_request: 1")
        made = Journey(workspace)
        _prepare(made, folder)
        _plan(made, folder)
        _send(made, folder)
        _look_back(made, folder)
        _the_rest(made)
        yield made


def _prepare(journey: Journey, folder: Path) -> None:
    workspace = journey.workspace
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "signer"], check=True)
    signer = (folder / "signer.pub").read_text()
    workspace.write(".syncengine/allowed_signers", f"boss@example.com {signer}")
    text = (
        (workspace.root / "syncengine.yaml").read_text().replace("    buyers", "    reads: {leads: true}\n    buyers")
    )
    rule = "approvals: {required: 1, allowed_signers: .syncengine/allowed_signers, author_may_approve: true}"
    workspace.write("syncengine.yaml", f"{text}policy:\n  {rule}\n")
    workspace.changeset("repair", CHANGES, head=f"vars: {{hush: {json.dumps(VALUES['email'])}}}\n")
    row = ",".join(json.dumps(value) for value in VALUES.values())
    workspace.write("observed.csv", f"lead,{','.join(VALUES)},observed_at\n{LEADS[2]},{row},2026-01-01T00:00:00Z\n")
    identity = pyrage.x25519.Identity.generate()
    (folder / "identity").write_text(str(identity))
    (folder / "identity").chmod(0o600)
    (folder / "recipient").write_text(str(identity.to_public()))


def _plan(journey: Journey, folder: Path) -> None:
    journey.run("init", "elsewhere")
    for format_ in ("text", "json", "sarif", "github"):
        journey.run("validate", "changesets", "--format", format_)
    journey.run("plan", "changesets", "--offline", "--observed", "observed.csv")
    for format_ in PLAN_FORMATS:
        journey.run("plan", "changesets", "--out", "release.plan", "--format", format_)
        journey.run("show", "release.plan", "--format", format_)
    sealed = ("--values", "sealed", "--recipient", str(folder / "recipient"))
    journey.run("plan", "changesets", "--out", "sealed.plan", *sealed)
    for format_ in PLAN_FORMATS:
        journey.run("show", "sealed.plan", "--format", format_)
        journey.run("show", "sealed.plan", "--format", format_, "--identity", folder / "identity")
    journey.run("review", "release.plan", code=1)
    journey.run("approve", "release.plan", "--key", folder / "signer", "--format", "json")
    journey.run("approve", "sealed.plan", "--key", folder / "signer", "--identity", folder / "identity")


def _send(journey: Journey, folder: Path) -> None:
    """A refused key, a refused lead and a lost answer, all in the service's words; then the rest."""
    sandbox = journey.workspace.sandbox
    refused = {"effect": "none", "answer": {"status": 401, "body": "error", "message": ECHO}}
    lost = {"effect": "all", "answer": {"status": 500, "body": "error", "message": ECHO}}
    for rules, code in (
        ([{"match": {}, "fault": refused}], 4),
        ([{"match": {"lead": LEADS[2]}, "fault": {"reject": {"message": ECHO}}},
          {"match": {"delivery": "1053"}, "fault": lost}], 5),
        ([], 5),
    ):  # fmt: skip
        sandbox.set_faults(parse_script(json.dumps({"rules": rules})))
        junit = ("--junit", "junit.xml")
        journey.run("apply", "sealed.plan", "--identity", folder / "identity", *junit, "--format", "json", code=code)
        journey.run("status")
    journey.run("apply", "release.plan", "--format", "text", code=None)
    sealed = ("--values", "sealed", "--recipient", str(folder / "recipient"))
    journey.run("plan", "changesets", "--each", "plans", *sealed, code=None)
    for format_ in ("text", "json"):
        words = ("--identity", folder / "identity", *junit, "--format", format_, "--log-format", "json")
        journey.run("apply", "plans", *words, code=None)


def _look_back(journey: Journey, folder: Path) -> None:
    for format_ in ("text", "json"):
        journey.run("status", "--format", format_)
    for format_ in ("text", "json", "csv"):
        journey.run("history", "--format", format_)
    history = [json.loads(line) for line in journey.run("history", "--format", "json").out.splitlines()]
    for row in history[:3]:
        for format_ in ("text", "json"):
            journey.run("explain", row["operation"], "--format", format_)
    journey.run("verify", "sealed.plan", "--identity", folder / "identity", "--polls", "0", code=None)
    journey.run("drift", "--format", "json", code=None)
    doubts = json.loads(journey.run("status", "--format", "json").out)["in_doubt"]
    words = ("--as", "applied", "--by", "ann", "--note", "seen")
    journey.run("resolve", *[doubt["operation"] for doubt in doubts], *words)
    journey.run("cancel", history[0]["run"], code=None)
    journey.run("revert", "release.plan", "--out", "back.yaml", code=None)
    journey.run("rejects", history[0]["run"], "--out", "rejected.csv", "--plan", "sealed.plan", code=None)
    journey.run("plan", "changesets", "--out", "next.plan", code=None)


def _the_rest(journey: Journey) -> None:
    body = {"leads": [{"id": LEADS[0], "update": VALUES}]}
    journey.workspace.write("request.json", json.dumps(body))
    journey.run("import", "request.json", "--account", "acme", "--out", "imported.yaml", code=None)
    journey.workspace.write("people.csv", f"email,note\n{json.dumps(VALUES['email'])},x\n")
    journey.run("lookup", "people.csv", "--campaign", "565", "--email", "email", "--out", "found.csv", code=None)
    for words in (("check",), ("export", "--out", "export.jsonl"), ("migrate",), ("export",)):
        journey.run("ledger", *words, code=None)
    for format_ in ("text", "json"):
        journey.run("doctor", "--format", format_, code=None)
    journey.run("schema", "changeset")
    journey.run("demo", "--dir", "demo", code=None)
    # Errors: usage, configuration, a damaged plan, a missing key, and a key that is none.
    journey.run("plan", "--nonsense", code=1)
    journey.run("apply", "nowhere.plan", "--format", "json", code=1)
    journey.workspace.write("damaged.plan", (journey.root / "sealed.plan").read_text()[:-20])
    journey.run("apply", "damaged.plan", code=3)
    journey.run("apply", "release.plan", LEADBYTE_API_KEY=f"{KEY} {KEY}", code=None)
    journey.run("validate", "nowhere", "--format", "json", code=1)


def test_every_command_was_on_the_way(journey: Journey) -> None:
    # The sandbox prints the keys that it takes, which is what it is asked for, and they are its own. What submit and
    # workers leave in PostgreSQL is searched in test_workers.py.
    assert journey.verbs >= set(COMMANDS) - {"sandbox", "submit", "worker"}


def test_the_key_is_nowhere(journey: Journey) -> None:
    search = Search({"key": KEY})
    for where, text in journey.printed.items():
        search.look(where, text)
    search.look_into(journey.root)
    assert "\n".join(search.found) == ""
    assert search.searched > 500_000
    assert any("ledger.db" in place for place in search.places)


def test_lead_data_is_only_where_it_has_to_be(journey: Journey) -> None:
    search = Search(VALUES)
    for where, text in journey.printed.items():
        search.look(where, text)
    search.look_into(journey.root, apart_from=journey.holding_values())
    assert "\n".join(search.found) == ""
    assert any("sealed.plan" in place for place in search.places)
    assert any("junit.xml" in place for place in search.places)


def test_the_search_would_have_found_it(journey: Journey) -> None:
    """The same search finds the values in the plain plan, and the key in what reached the service."""
    search = Search({"key": KEY, **VALUES})
    search.look("plan", (journey.root / "release.plan").read_bytes())
    search.look("requests", journey.workspace.sandbox.requests_log.read_bytes())
    assert {name for name in ("key", *VALUES) if any(line.startswith(f"{name} in") for line in search.found)} == {
        "key",
        *VALUES,
    }
    assert journey.workspace.effects
