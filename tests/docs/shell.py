"""Runs a page's commands in one shell, in order: what one block sets up, the next one finds."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli.console import SCRIPT, environment
from tests.docs.blocks import Block, Step, shows, steps

PATIENCE = 240
"""Seconds after which a page hangs."""

GUIDE_PORT = "8089"
"""The port that pages and `init` use for the sandbox. A free one takes its place: tests run side by side."""

_SHIM = """\
#!/bin/sh
[ "$1" = init ] || exec "{script}" "$@"
"{script}" "$@" || exit $?
find . -name syncengine.yaml -exec sed -i 's/:{guide}/:{port}/' {{}} +
"""


@dataclass
class Shell:
    """`folder` is where the commands start. `words` are put in place of placeholders such as DIGEST."""

    folder: Path
    scratch: Path
    port: int
    words: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    home: Path | None = None

    def run(self, blocks: list[Block]) -> list[str]:
        """What went wrong, with its place; empty where all is well."""
        self.scratch.mkdir()
        script, checks = self._script(blocks)
        said = self.scratch / "said"
        with said.open("wb") as out:
            process = subprocess.Popen(
                ["bash", "--noprofile", "--norc", "-c", script],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            code = process.wait(PATIENCE)
        finally:
            # What the page started in the background ends with it.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        if code != 0:
            at = (self.scratch / "at").read_text(encoding="utf-8").splitlines()[-1]
            return [f"{at}: ended with {code}\n{said.read_text(encoding='utf-8')}\n{self._printed()}"]
        return [problem for place, step, file in checks if (problem := _compared(place, step, file))]

    def _script(self, blocks: list[Block]) -> tuple[str, list[tuple[str, Step, Path]]]:
        lines = ["set -euo pipefail"]
        checks: list[tuple[str, Step, Path]] = []
        for block in blocks:
            lines.append(f"printf '%s\\n' '{block.place}' >>\"$DOCS_SCRATCH/at\"")
            if not block.commands:
                name = self._filled(block.words)
                (self.scratch / f"file-{block.line}").write_text(self._filled(block.text), encoding="utf-8")
                lines += [f'mkdir -p "$(dirname {name})"', f'cp "$DOCS_SCRATCH/file-{block.line}" {name}']
                continue
            if block.language == "sh":
                lines.append(self._filled(block.text))
                continue
            for number, step in enumerate(steps(block)):
                file = self.scratch / f"printed-{block.line}-{number}"
                # A page may show that a command fails: `...; echo $?`. Its last command must not.
                lines.append(
                    f"set +e\n{{\n{self._filled(step.command)}\n}} >{file} 2>&1\ncode=$?; set -e; (exit $code)"
                )
                shown = tuple(self._filled(line) for line in step.shown)
                checks.append((block.place, Step(step.command, shown), file))
        return "\n".join(lines), checks

    def _filled(self, text: str) -> str:
        text = text.replace(GUIDE_PORT, str(self.port))
        for word, value in sorted(self.words.items(), key=lambda pair: -len(pair[0])):
            text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", lambda _, value=value: value, text)
        return text

    def _environment(self) -> dict[str, str]:
        tools = self.scratch / "bin"
        tools.mkdir()
        shim = tools / "syncengine"
        shim.write_text(_SHIM.format(script=SCRIPT, guide=GUIDE_PORT, port=self.port), encoding="utf-8")
        shim.chmod(0o755)
        home = self.home or self.scratch / "home"
        home.mkdir(exist_ok=True)
        path = f"{tools}{os.pathsep}{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}"
        return environment(
            PATH=path, HOME=str(home), DOCS_SCRATCH=str(self.scratch), COLUMNS="100", TERM="dumb",
            GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null", GIT_AUTHOR_NAME="Anna",
            GIT_AUTHOR_EMAIL="anna@example.com", GIT_COMMITTER_NAME="Anna", GIT_COMMITTER_EMAIL="anna@example.com",
            **self.variables,
        )  # fmt: skip

    def _printed(self) -> str:
        files = sorted(self.scratch.glob("printed-*"), key=lambda file: file.stat().st_mtime)
        return files[-1].read_text(encoding="utf-8") if files else ""


def _compared(place: str, step: Step, file: Path) -> str:
    printed = file.read_text(encoding="utf-8")
    if shows(step.shown, printed):
        return ""
    shown = "\n".join(step.shown)
    return f"{place}: {step.command}\n-- the page shows\n{shown}\n-- it prints\n{printed}"
