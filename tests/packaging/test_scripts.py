"""The scripts behind the README's two commands: what they install, and how they ask for it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = (
    "scripts/install-and-demo",
    "scripts/call-centre-week",
    "scripts/test",
    "scripts/lock",
    "scripts/mutation",
    "scripts/check-distribution",
    "scripts/check-floors",
    ".ci/run",
)
BASE_TOOLS = ("bash", "dirname", "id", "env", "cat", "mkdir", "sha256sum", "rm")


@dataclass(frozen=True)
class Machine:
    """A PATH with a few real tools and some made up for the test; `log` is what the made-up ones were called with."""

    folder: Path
    log: Path

    def add(self, name: str, body: str) -> None:
        tool = self.folder / name
        tool.unlink(missing_ok=True)
        tool.write_text(f'#!/bin/bash\nprintf "%s\\n" "{name} $*" >>"{self.log}"\n{body}\n', encoding="utf-8")
        tool.chmod(0o755)

    def link(self, name: str) -> None:
        found = next(Path(folder, name) for folder in ("/usr/bin", "/bin") if Path(folder, name).exists())
        (self.folder / name).symlink_to(found)

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/bash", "-euo", "pipefail", "-c", f". '{ROOT}/scripts/environment.sh'\n{script}"],
            env={"PATH": str(self.folder), "HOME": str(self.folder)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    folder = tmp_path / "bin"
    folder.mkdir()
    made = Machine(folder, tmp_path / "calls")
    for name in BASE_TOOLS:
        made.link(name)
    return made


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_executable_and_well_formed(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["/bin/bash", "-n", ROOT / script], check=True, timeout=60)


def test_ci_calls_the_very_test_command_of_the_readme() -> None:
    assert "./scripts/test" in (ROOT / ".ci/run").read_text(encoding="utf-8")
    opening = (ROOT / "README.md").read_text(encoding="utf-8").partition("## ")[0]
    assert "./scripts/install-and-demo" in opening
    assert "./scripts/test" in opening


def test_packages_come_through_sudo_where_one_is_not_root(machine: Machine) -> None:
    machine.add("id", "echo 1000")
    machine.add("apt-get", "")
    machine.add("sudo", '"$@"')
    assert machine.run("install_packages python3-venv").returncode == 0
    assert "apt-get update -qq" in machine.calls
    assert "apt-get install -y -qq --no-install-recommends python3-venv" in machine.calls
    assert any(call.startswith("sudo env DEBIAN_FRONTEND=noninteractive apt-get install") for call in machine.calls)


def test_root_needs_no_sudo(machine: Machine) -> None:
    machine.add("id", "echo 0")
    machine.add("apt-get", "")
    assert machine.run("install_packages postgresql").returncode == 0
    assert not [call for call in machine.calls if call.startswith("sudo")]


@pytest.mark.parametrize(
    ("tools", "told"), [((), "apt-get is not here"), (("apt-get",), "there is no sudo; as root, run: env")]
)
def test_what_cannot_be_installed_is_named(tools: tuple[str, ...], told: str, machine: Machine) -> None:
    machine.add("id", "echo 1000")
    for tool in tools:
        machine.add(tool, "")
    done = machine.run("install_packages python3-venv")
    assert done.returncode == 1
    assert told in done.stderr
    assert "python3-venv" in done.stderr or tools


def test_an_old_python_is_passed_over(machine: Machine) -> None:
    machine.add("python3", "exit 1")
    (machine.folder / "python3.11").symlink_to(sys.executable)
    done = machine.run("find_python")
    assert (done.returncode, done.stdout) == (0, "python3.11\n")


def test_no_python_at_all_is_said(machine: Machine) -> None:
    done = machine.run("find_python")
    assert done.returncode == 1
    assert "Python 3.11 or newer was not found" in done.stderr


def test_the_venv_package_is_installed_where_python_lacks_it(machine: Machine) -> None:
    """As on Debian: the interpreter is there, ensurepip is not."""
    machine.add("id", "echo 0")
    machine.add("apt-get", "")
    machine.add("python3", 'case "$*" in *ensurepip*) exit 1;; esac')
    done = machine.run("make_environment environment")
    assert done.returncode == 0
    assert "apt-get install -y -qq --no-install-recommends python3-venv" in machine.calls
    assert machine.calls[-1] == "python3 -m venv --clear environment"


def test_a_working_environment_is_kept(machine: Machine) -> None:
    working = machine.folder / "environment" / "bin"
    working.mkdir(parents=True)
    (working / "python").write_text("#!/bin/bash\nexit 0\n", encoding="utf-8")
    (working / "python").chmod(0o755)
    assert machine.run("make_environment environment").returncode == 0
    assert machine.calls == []
