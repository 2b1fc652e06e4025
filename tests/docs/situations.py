"""Where a page's commands find themselves, by the name in `<!-- commands: NAME -->`."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from syncengine.sandbox import RunningSandbox, Sandbox, SandboxOptions
from syncengine.sandbox.faults_file import parse_script
from tests.ci.team import AUTHOR, REVIEWER, Team, git
from tests.cli.console import Ended, run_inside
from tests.telemetry.collector import Collector

FILES = {
    "request.json": '{"leads": [{"id": "2932683", "action": "reprocess", "update": {"postcode": "TN25 6QD"}}]}',
    "data/people.csv": "email,mobile\nann.2932682@example.com,07700900000\n",
    "data/calls.csv": "lead_id,result,payout\n2932684,reached,80.00\n",
    "export.csv": "lead,postcode,c1,payout,revenue,buyer\n2932682,TN25 6QD,corrected,,,\n2932690,,,80.00,120.00,33\n",
}

PLACEHOLDER_URL = "postgresql://USER:PASSWORD@HOST/DATABASE"


@dataclass
class Place:
    """`words` replace placeholders; `variables` are what the reader is taken to have set."""

    folder: Path
    words: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    home: Path | None = None

    def run(self, *args: str) -> Ended:
        return run_inside(*args, cwd=self.folder, **self.variables)

    def json(self, *args: str) -> dict[str, object]:
        ended = self.run(*args, "--format", "json")
        assert ended.out, ended.err
        return dict(ended.json)


class Scene:
    """Makes places. What it starts, ends with it. `database` gives the URL of a new PostgreSQL database."""

    def __init__(self, folder: Path, stack: ExitStack, database: Callable[[], str]) -> None:
        self._folder = folder
        self._stack = stack
        self._database = database

    def make(self, name: str) -> Place:
        """The place of that name."""
        assert name in SITUATIONS, "say where the commands run: `<!-- commands: SITUATION -->` above the block"
        return SITUATIONS[name](self)

    def empty(self) -> Place:
        """An empty folder."""
        folder = self._folder / "empty"
        folder.mkdir()
        return Place(folder)

    def git(self) -> Place:
        """An empty git repository, and a database for the ledger."""
        place = self.empty()
        subprocess.run(["git", "init", "--quiet", place.folder], check=True)
        place.words[PLACEHOLDER_URL] = self._database()
        return place

    def project(self) -> Place:
        """What `init` writes, for an account whose service answers and may be read."""
        sandbox = self._sandbox()
        place = Place(self._folder / "leads", variables={"LEADBYTE_API_KEY": sandbox.api_key})
        assert run_inside("init", "leads", cwd=self._folder).code == 0
        config = place.folder / "syncengine.yaml"
        text = config.read_text(encoding="utf-8")
        wanted = "    limits: {requests_per_second: 1000, settle: 0}\n    reads: {leads: true}\n"
        for old, new in (
            ("https://acme.leadbyte.co.uk", sandbox.url),
            ("    # limits: {requests_per_second: 5, concurrency: 1}\n", wanted),
        ):
            assert old in text
            text = text.replace(old, new)
        config.write_text(text, encoding="utf-8")
        return place

    def planned(self) -> Place:
        """The same, with the example planned as release.plan. The reader's key may approve; no approval is needed."""
        place = self._with_key(self.project())
        place.words["DIGEST"] = str(place.json("plan", "changesets", "--out", "release.plan")["plan"])
        return place

    def shared(self) -> Place:
        """The same, with a ledger on PostgreSQL."""
        place = self.project()
        config = place.folder / "syncengine.yaml"
        document = yaml.safe_load(config.read_text(encoding="utf-8"))
        document["ledger"] = {"url": self._database()}
        config.write_text(json.dumps(document, indent=1), encoding="utf-8")
        place.json("plan", "changesets", "--out", "release.plan")
        return place

    def applied(self) -> Place:
        """The same, and applied; the example's first operation is OPERATION."""
        place = self.planned()
        place.words["RUN"] = str(place.json("apply", "release.plan")["run"])
        return self._with_operation(place)

    def reviewer(self) -> Place:
        """A repository in which maria committed changesets and plan, and needs the approval of anna, whose SSH key is
        where SSH keys are."""
        place = self._with_key(self.project(), required=1)
        git(place.folder, "init", "--quiet", "--initial-branch=main")
        git(place.folder, "add", "--all", email=AUTHOR)
        git(place.folder, "commit", "--quiet", "--message", "Trigger the northwind delivery", email=AUTHOR)
        git(place.folder, "config", "user.name", "Anna")
        git(place.folder, "config", "user.email", REVIEWER)
        place.words["DIGEST"] = str(place.json("plan", "changesets", "--out", "release.plan")["plan"])
        return place

    def everything(self) -> Place:
        """The applied plan, and every file that an example of a command names."""
        return self._with_files(self.applied())

    def everything_and_doubt(self) -> Place:
        """The same with a doubt."""
        return self._with_files(self.doubt())

    def collector(self) -> Place:
        """The plan, and a collector of telemetry."""
        place = self.planned()
        place.words["http://collector.example:4318"] = self._stack.enter_context(Collector()).url
        return place

    def doubt(self) -> Place:
        """The same, but for a trigger whose answer was lost: OPERATION of RUN."""
        place = self.planned()
        lost = {"match": {"delivery": "1053"}, "fault": {"answer": {"status": 500}, "effect": "all"}}
        self._running.set_faults(parse_script(json.dumps({"rules": [lost]}).encode()))
        place.words["RUN"] = str(place.json("apply", "release.plan")["run"])
        (doubt,) = place.run("status", "--format", "json").json["in_doubt"]
        place.words["OPERATION"] = doubt["operation"]
        return place

    def team(self) -> Place:
        """A reviewer's clone of a repository with CI, after a merge that waits for an approval of DIGEST."""
        team = Team(self._folder, self._sandbox(), self._database())
        team.found("github")
        team.branch("repair")
        team.write(
            "changesets/repair.yaml",
            "version: 1\nchangeset: repair\naccount: acme\nchanges:\n"
            '  - {lead: "2932682", update: {postcode: TN25 6QD}, trigger: [northwind]}\n',
        )
        team.propose("repair", 1)
        team.merge("repair")
        place = Place(team.reviewer, variables={"LEADBYTE_API_KEY": self._running.api_key})
        place.home = self._folder / "anna-home"
        (place.home / ".ssh").mkdir(parents=True)
        shutil.copy(self._folder / "anna", place.home / ".ssh" / "id_ed25519")
        shutil.copy(self._folder / "anna.pub", place.home / ".ssh" / "id_ed25519.pub")
        team.git(team.reviewer, "pull", "--quiet", "origin", "main")
        shutil.copy(team.ledger_key, team.reviewer / ".syncengine" / "ledger.key")
        place.variables["SYNCENGINE_LEDGER_URL"] = team.ledger_url
        place.words[PLACEHOLDER_URL] = team.ledger_url
        (plan,) = json.loads(place.run("plan", "changesets", "--format", "json", "--each", "../plans").out)["plans"]
        place.words["DIGEST"] = plan["plan"]
        place.words["CHANGED"] = "repair"
        return place

    def _with_key(self, place: Place, *, required: int = 0) -> Place:
        """The same with anna's SSH key, by which so many must approve."""
        place.home = self._folder / "home"
        key = place.home / ".ssh" / "id_ed25519"
        key.parent.mkdir(parents=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        signers = place.folder / ".syncengine" / "allowed_signers"
        signers.write_text(f"{REVIEWER} {key.with_suffix('.pub').read_text()}", encoding="utf-8")
        config = place.folder / "syncengine.yaml"
        text = config.read_text(encoding="utf-8")
        assert "  # approvals: {required: 1," in text
        config.write_text(text.replace("  # approvals: {required: 1,", f"  approvals: {{required: {required},"))
        return place

    def _with_files(self, place: Place) -> Place:
        for name, text in FILES.items():
            (place.folder / name).write_text(text, encoding="utf-8")
        place.words["HEAD"] = str(place.json("ledger", "check")["head"])
        return place

    def _sandbox(self) -> RunningSandbox:
        options = SandboxOptions(state=self._folder / "service", any_lead=True)
        self._running = self._stack.enter_context(Sandbox(options).start())
        return self._running

    def _with_operation(self, place: Place) -> Place:
        first, *_ = place.run("history", "--format", "json").out.splitlines()
        place.words["OPERATION"] = json.loads(first)["operation"]
        return place


SITUATIONS: dict[str, Callable[[Scene], Place]] = {
    "an empty folder": Scene.empty,
    "an empty git repository": Scene.git,
    "a project": Scene.project,
    "a project with a plan": Scene.planned,
    "a project with a plan on PostgreSQL": Scene.shared,
    "a project with an applied plan": Scene.applied,
    "a project with a plan and a collector": Scene.collector,
    "a project with a doubt": Scene.doubt,
    "a reviewer with a plan": Scene.reviewer,
    "a project with everything": Scene.everything,
    "a project with everything and a doubt": Scene.everything_and_doubt,
    "a reviewer's clone": Scene.team,
}
