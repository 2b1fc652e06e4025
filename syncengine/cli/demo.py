"""`syncengine demo`: the whole main job against a sandbox, with the very commands that a user would type."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from syncengine.cli.command import Command, Invocation
from syncengine.cli.demo_files import FILES
from syncengine.core.errors import Exit, InputError

_LEADS = ("2932682", "2932683", "2932684")
_PATIENCE = 30
"""Seconds for the sandbox to start, and for each step."""


@click.command(
    cls=Command,
    examples=("syncengine demo try-it",),
    epilog="The demo takes a few seconds and connects to this machine only.",
)
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path(path_type=Path))
@click.pass_obj
def command(invocation: Invocation, *, folder: Path | None) -> int:
    """Run the documented LeadByte requests from YAML changesets against a sandbox, and show the ledger.

    All files are written to DIR, which must be new or empty; by default a temporary folder.
    """
    place = _prepare(folder)
    say = invocation.output.verbatim
    say(f"A demonstration in {place}\n\n")
    with _sandbox(place) as sandbox:
        _write(place, sandbox["url"])
        demo = _Demo(place, sandbox, invocation)
        before = demo.leads()
        demo.run("validate", "changesets/")
        demo.run("plan", "changesets/", "--out", "release.plan")
        demo.run("apply", "release.plan")
        say("The leads before and after:\n\n")
        _show_difference(say, before, demo.leads())
        say("\nThe same command again. What is on record is not sent again:\n\n")
        again = demo.run("apply", "release.plan")
        demo.run("history")
        requests = (place / "sandbox" / "requests.jsonl").read_bytes().count(b"PUT")
    say(f"The sandbox received {requests} PUT requests in all. Now look at these files in {place}:\n\n")
    say(_NEXT)
    return again


def _prepare(folder: Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="syncengine-demo-"))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            f"{folder} is not an empty folder", code="SE901", hint="name a new one: syncengine demo some-new-folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def _write(place: Path, url: str) -> None:
    for name, text in FILES.items():
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace("SANDBOX_URL", url), encoding="utf-8")


@contextmanager
def _sandbox(place: Path) -> Iterator[dict[str, str]]:
    """A sandbox of its own process, on a free port, that ends with the demonstration."""
    command = [sys.executable, "-m", "syncengine", "sandbox", "--state", str(place / "sandbox")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            if not ready:
                raise InputError("the sandbox did not start", code="SE903", hint="try 'syncengine sandbox' by itself")
            yield json.loads(ready)
        finally:
            process.terminate()
            process.wait(_PATIENCE)


class _Demo:
    """Runs the real command line in the demonstration's folder."""

    def __init__(self, place: Path, sandbox: Mapping[str, str], invocation: Invocation) -> None:
        self._place = place
        self._sandbox = sandbox
        self._output = invocation.output
        self._environ = {
            **{
                name: value
                for name, value in invocation.environ.items()
                if not name.startswith(("SYNCENGINE_", "OTEL_"))
            },
            "LEADBYTE_API_KEY": sandbox["api_key"],
            "COLUMNS": str(invocation.output.width),
        }

    def run(self, *words: str) -> int:
        """One command, shown as it is typed, with what it prints."""
        self._output.verbatim(f"$ syncengine {' '.join(words)}\n\n")
        done = subprocess.run(
            [sys.executable, "-m", "syncengine", *words],
            cwd=self._place,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_PATIENCE,
            check=False,
        )
        self._output.verbatim(done.stdout.decode().rstrip("\n") + "\n\n")
        if done.returncode != Exit.DONE:
            raise InputError(
                f"the step '{' '.join(words)}' ended with exit code {done.returncode}",
                code="SE903",
                hint="please report it: the demonstration should always work",
            )
        return done.returncode

    def leads(self) -> dict[str, dict[str, str]]:
        """Fields and amounts of the demonstration's leads, as the service tells them."""
        return {lead: self._lead(lead) for lead in _LEADS}

    def _lead(self, lead: str) -> dict[str, str]:
        url = f"{self._sandbox['url']}/restapi/v1.3/leads/{lead}?key={self._sandbox['api_key']}"
        with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:
            read: dict[str, Any] = json.load(answer)
        events = [event["event"] for event in read["history"]]
        return {
            **{name: str(value) for name, value in read["fields"].items()},
            "payout": str(read["payout"]),
            "revenue": str(read["revenue"]),
            "sold or reprocessed": ", ".join(e for e in events if "trigger" in e or "process" in e) or "no",
        }


def _show_difference(say: Any, before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> None:
    for lead in _LEADS:
        say(f"  lead {lead}")
        for name, value in after[lead].items():
            old = before[lead].get(name, "nothing")
            if old != value:
                say(f"    {name:<20} {old}  ->  {value}")


_NEXT = """\
  changesets/documented-requests.yaml   what was declared
  release.plan                          what was planned: one line per operation, two sums to guard it
  .syncengine/ledger.db                 what was sent and what came back
  sandbox/requests.jsonl                every request that reached the service, to the letter
  sandbox/effects.jsonl                 everything that it did

What to try next, in that folder, with the sandbox running again (`syncengine sandbox --state sandbox --port PORT`,
PORT as in syncengine.yaml, and its key in LEADBYTE_API_KEY):

  change a postcode in the changeset and plan again: the update is planned, the trigger beside it is not
  `syncengine show release.plan --format html > plan.html`: the same plan for a reviewer
  `syncengine init my-leads`: a repository of your own
"""
