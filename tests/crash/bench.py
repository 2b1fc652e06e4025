"""A workbench: a folder with a configuration, a sandbox on a real socket, and the command line, in this process or not.

Everything that the judges of these tests believe comes from the sandbox's own logs and from what the commands print.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from syncengine.api import Project
from syncengine.cli.main import run as run_command_line
from syncengine.ledger import create_ledger
from syncengine.sandbox import FaultRule, RunningSandbox, Sandbox, SandboxOptions, Script, parse_script

SCRIPT = Path(sys.executable).with_name("syncengine")
ACCOUNT = "acme"

QUICK: dict[str, Any] = {"requests_per_second": 1000, "timeout": 5, "attempts": 3, "settle": 0}
"""Limits under which a test does not wait; a test that is about waiting sets its own."""


class Ended:
    """What a command left behind."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Its JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    def __repr__(self) -> str:
        return f"exit {self.code}\n{self.out}\n{self.err}"


class Bench:
    """One folder. Used as a context manager; everything that it started ends with it."""

    def __init__(self, folder: Path, *, ledger_url: str = "sqlite:///.syncengine/ledger.db", **sandbox: Any) -> None:
        self.folder = folder
        self.ledger_url = ledger_url
        self._sandbox_options = {"any_lead": True, **sandbox}
        self._stack = ExitStack()
        self.settings: dict[str, Any] = {}

    def __enter__(self) -> Bench:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "specs").mkdir(exist_ok=True)
        options = SandboxOptions(state=self.folder / "sandbox", **self._sandbox_options)
        self.sandbox: RunningSandbox = self._stack.enter_context(Sandbox(options).start())
        key = self.folder / "api.key"
        key.write_text(self.sandbox.api_key)
        key.chmod(0o600)
        self.configure()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # What a user writes

    def configure(
        self,
        *,
        limits: dict[str, Any] | None = None,
        wire: dict[str, Any] | None = None,
        policy: dict[str, Any] | None = None,
        ledger: dict[str, Any] | None = None,
        name: str = ACCOUNT,
        **account: Any,
    ) -> None:
        """Write syncengine.yaml (JSON is YAML). Limits are quick ones unless said otherwise."""
        document: dict[str, Any] = {
            "version": 1,
            "accounts": {
                name: {
                    "base_url": self.sandbox.url,
                    "api_key": "file:api.key",
                    "limits": QUICK | (limits or {}),
                    "wire": wire or {},
                    **account,
                }
            },
            "ledger": {"url": self.ledger_url, **(ledger or {})},
        }
        if policy:
            document["policy"] = policy
        (self.folder / "syncengine.yaml").write_text(json.dumps(document, indent=1))

    def changeset(self, name: str, *changes: dict[str, Any], account: str = ACCOUNT) -> Path:
        """Write one changeset, in place of an earlier one of that name."""
        document = {"version": 1, "changeset": name, "account": account, "changes": list(changes)}
        path = self.folder / "specs" / f"{name}.yaml"
        path.write_text(json.dumps(document, indent=1))
        return path

    def found(self) -> str:
        """Create the ledger, so that plans are made with one; returns its id."""
        project = Project.open(self.folder / "syncengine.yaml")
        with closing(
            create_ledger(project.settings.ledger, root=Path(project.settings.root), clock=project.clock)
        ) as ledger:
            return ledger.identity().id

    def faults(self, *rules: dict[str, Any] | FaultRule) -> None:
        """From now on the sandbox makes this trouble; counts begin anew."""
        if all(isinstance(rule, FaultRule) for rule in rules):
            self.sandbox.set_faults(Script(rules=[rule for rule in rules if isinstance(rule, FaultRule)]))
            return
        self.sandbox.set_faults(parse_script(json.dumps({"rules": list(rules)})))

    # What a user runs

    def environment(self, **more: str) -> dict[str, str]:
        """The environment without what would change a command's behaviour."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SYNCENGINE_", "LEADBYTE_"))}
        return kept | {"NO_COLOR": "1"} | more

    def cli(self, *words: str | Path) -> Ended:
        """The command line in this process: the same code, without a start-up."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run_command_line([*map(str, words), "--config", str(self.folder / "syncengine.yaml")])
        return Ended(code, out.getvalue(), err.getvalue())

    def start(self, *words: str | Path, **popen: Any) -> subprocess.Popen[bytes]:
        """The real command in a process of its own."""
        settings = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **popen}
        command = [str(SCRIPT), *map(str, words)]
        return subprocess.Popen(command, cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL, **settings)

    def process(self, *words: str | Path, timeout: float = 60, **popen: Any) -> Ended:
        """The real command, awaited."""
        process = self.start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **popen)
        out, err = process.communicate(timeout=timeout)
        return Ended(process.returncode, out.decode(), err.decode())

    def plan(self, *names: str, out: str = "release.plan", code: int | None = 0, observed: Path | None = None) -> Path:
        """Plan these changesets (all without names) into a file."""
        target = self.folder / out
        wanted = [word for name in names for word in ("--changeset", name)]
        if observed is not None:
            wanted += ["--observed", str(observed)]
        ended = self.cli("plan", self.folder / "specs", "--out", target, "--format", "json", *wanted)
        assert code is None or ended.code == code, ended
        return target

    def apply(self, plan: Path | str = "release.plan", *options: str) -> Ended:
        """Apply a saved plan in this process."""
        return self.cli("apply", self.folder / plan, "--format", "json", *options)

    def send(self, name: str, *changes: dict[str, Any], **settings: Any) -> Ended:
        """Write, plan and apply one changeset."""
        self.changeset(name, *changes, **settings)
        return self.apply(self.plan(name, out=f"{name}.plan"))

    def states(self, *names: str) -> dict[str, list[str]]:
        """What a plan of these changesets says of each lead: "kind state", in order."""
        from syncengine.planning import open_plan

        found: dict[str, list[str]] = {}
        with open_plan(self.plan(*names, out="states.plan", code=None)) as plan:
            for planned in plan.operations():
                kind = type(planned.operation).__name__.lower()
                found.setdefault(planned.operation.lead, []).append(f"{kind} {planned.state.value}")
        return found

    def reasons(self, *names: str) -> list[str]:
        """The reasons that such a plan gives."""
        from syncengine.planning import open_plan

        with open_plan(self.plan(*names, out="states.plan", code=None)) as plan:
            return [planned.reason for planned in plan.operations() if planned.reason]

    def resolve(self, verdict: str, *words: str) -> Ended:
        """`resolve --as VERDICT`, as Ann."""
        return self.cli("resolve", *words, "--as", verdict, "--by", "ann", "--note", "seen at the buyer")

    def status(self) -> Any:
        """What `status` says."""
        return self.cli("status", "--format", "json").json

    def history(self, *words: str) -> list[Any]:
        """What `history` says, oldest first."""
        return self.cli("history", *words, "--format", "json").lines

    def outcomes(self) -> dict[str, str]:
        """Outcome on record by "kind lead", with the delivery behind it where there is one."""
        project = Project.open(self.folder / "syncengine.yaml")
        with project.view() as ledger:
            records = [] if ledger is None else list(ledger.history())
        return {
            f"{r.kind.value} {r.lead}{f' {r.delivery}' if r.delivery else ''}"
            f"{f' rerun {r.generation}' if r.generation > 1 else ''}": r.outcome
            for r in records
        }

    # What the service saw

    def quiet(self) -> None:
        """Wait until the sandbox is at rest, late effects included."""
        assert self.sandbox.idle(30)

    @property
    def effects(self) -> list[dict[str, Any]]:
        """Everything that was done to a lead."""
        self.quiet()
        return [json.loads(line) for line in self.sandbox.effects_log.read_text().splitlines()]

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Everything that was asked."""
        self.quiet()
        return [json.loads(line) for line in self.sandbox.requests_log.read_text().splitlines()]

    @property
    def sent(self) -> list[list[str]]:
        """Per request, what it asked for: "update 1", "trigger 1 1053", "reprocess 1", "financials 1"."""
        return [asked_for(request.get("body") or "") for request in self.requests]

    def done(self) -> Counter[str]:
        """How often each thing was done: "update 1", "trigger 1 1053", ..."""
        return Counter(
            " ".join(filter(None, (effect["effect"], effect["lead"], effect.get("delivery"))))
            for effect in self.effects
        )


def asked_for(text: str) -> list[str]:
    """What the body of a request asks for, leads named as in ledgers; nothing where only a part of it arrived."""
    asked: list[str] = []
    try:
        body = json.loads(text)
    except ValueError:
        return asked
    if "leadId" in body:
        return [f"return {body['leadId']} {body['BID']}"]
    if "leads" not in body:
        return [f"{'reject' if body['action'] == 'reject' else 'release'} quarantined:{body['quarantineId']}"]
    for lead in body["leads"]:
        if not isinstance(lead, dict):
            asked.append(f"financials {lead}")
            continue
        if "quarantineId" in lead:
            asked.append(f"update quarantined:{lead['quarantineId']}")
            continue
        asked += [f"update {lead['id']}"] if "update" in lead else []
        asked += [f"reprocess {lead['id']}"] if "action" in lead else []
        deliveries: Sequence[str] = lead.get("triggerDeliveryIds", [lead.get("triggerDeliveryId")])
        asked += [f"trigger {lead['id']} {delivery}" for delivery in deliveries if delivery]
    return asked
