"""`syncengine review` on a terminal: findings one by one, then the summary, then the question to sign."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import termios
import time
from pathlib import Path

import pytest

from tests.cli.console import SCRIPT, environment, run

CONFIGURATION = """\
version: 1
accounts:
  acme: {base_url: "http://127.0.0.1:9", api_key: env:LEADBYTE_API_KEY, buyers: {northwind: "33"}}
"""
CHANGESET = """\
version: 1
changeset: uplift
account: acme
sources: {rows: {file: rows.csv}}
changes:
- id: switched
  for_each: rows
  lead: "{{ row.lead }}"
  update: {email: "{{ row.email }}"}
  financials: {payout: "{{ row.payout }}", revenue: "{{ row.revenue }}"}
"""


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *arguments: str, cwd: Path, **env: str) -> None:
        self._controller, terminal = os.openpty()
        termios.tcsetwinsize(terminal, (24, 80))
        os.set_blocking(self._controller, False)
        self.process = subprocess.Popen(
            [SCRIPT, *arguments], cwd=cwd, stdin=terminal, stdout=terminal, stderr=terminal,
            env=environment(TERM="xterm", **env),
        )  # fmt: skip
        os.close(terminal)
        self.shown = ""

    def until(self, text: str) -> str:
        """What was shown since the last answer, up to `text`."""
        deadline = time.monotonic() + 60
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            select.select([self._controller], [], [], 1)
            try:
                piece = os.read(self._controller, 65536)
            except (BlockingIOError, OSError) as error:
                if isinstance(error, BlockingIOError):
                    continue
                break
            self.shown += piece.decode()
        assert text in self.shown, self.shown
        return self.shown

    def answer(self, text: str) -> None:
        self.shown = ""
        os.write(self._controller, f"{text}\n".encode())

    def ended(self) -> int:
        code = self.process.wait(timeout=60)
        os.close(self._controller)
        return code


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    (tmp_path / "syncengine.yaml").write_text(CONFIGURATION)
    (tmp_path / "uplift.yaml").write_text(CHANGESET)
    rows = [f"{100 + n},p{n}@mail{n}.co.uk,70,110" for n in range(12)]
    rows[3] = "103,test@example.com,120,80"
    (tmp_path / "rows.csv").write_text("lead,email,payout,revenue\n" + "\n".join(rows) + "\n")
    assert run("plan", ".", "--offline", "--out", "a.plan", cwd=tmp_path).code == 0
    return tmp_path / "a.plan"


def list_signer(folder: Path) -> None:
    """A new key that may approve."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key"], cwd=folder, check=True)
    (folder / "signers").write_text(f"anna@example.com {(folder / 'key.pub').read_text()}")
    with (folder / "syncengine.yaml").open("a") as file:
        file.write("policy: {approvals: {required: 1, allowed_signers: signers}}\n")


def test_findings_come_one_by_one_then_the_summary_then_the_question(plan: Path) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("no ssh-keygen")
    list_signer(plan.parent)
    review = Terminal("review", "a.plan", "--key", "key", cwd=plan.parent)
    first = review.until("quit: ")
    assert "high swapped-amounts  1 of 2" in first
    assert "lead 103" in first
    assert "rows.csv:5" in first
    assert "placeholder" not in first
    review.answer("")
    second = review.until("quit: ")
    assert "medium placeholder  2 of 2" in second
    assert "test@example.com" not in second
    review.answer("")
    summary = review.until("[y/N] ")
    assert "2 things to look at" in summary
    assert not (plan.parent / "a.plan.approval").exists()
    review.answer("y")
    review.until("approved with key SHA256:")
    assert review.ended() == 0
    assert (plan.parent / "a.plan.approval").exists()


@pytest.mark.parametrize("answer", ["q", "\x04"])
def test_whoever_quits_signs_nothing(plan: Path, answer: str) -> None:
    review = Terminal("review", "a.plan", "--key", "key", cwd=plan.parent)
    review.until("quit: ")
    review.answer(answer)
    review.until("nothing was signed")
    assert review.ended() == 0
    assert not (plan.parent / "a.plan.approval").exists()


def test_off_a_terminal_it_refuses_and_names_the_other_commands(plan: Path) -> None:
    ended = run("review", "a.plan", cwd=plan.parent)
    assert (ended.code, "SE132" in ended.err) == (1, True)
    assert "syncengine show a.plan" in ended.err


def test_a_view_longer_than_the_terminal_goes_through_the_pager(plan: Path) -> None:
    shown = Terminal("show", "a.plan", cwd=plan.parent, PAGER="sed s/^/PAGED:/")
    assert "PAGED:2 things to look at" in shown.until("PAGED:2 things to look at")
    assert shown.ended() == 0
    plain = Terminal("show", "a.plan", cwd=plan.parent, PAGER="cat")
    assert "PAGED" not in plain.until("Apply would send")
    assert plain.ended() == 0
    assert "PAGED" not in run("show", "a.plan", cwd=plan.parent, PAGER="sed s/^/PAGED:/").out
