"""Command blocks of a page, and what the page says about running them.

    <!-- commands: SITUATION -->       the folder in which the commands below it run (tests/docs/situations.py)
    ```sh                              run as they stand; a command that fails fails the test
    ```console                         lines with `$ ` are run, what they print is compared with the lines below
    <!-- not run: REASON -->           the block below is left out
    <!-- file: NAME -->                the block below is written to this file first

In what is compared, `...` stands for anything: within a line for some characters, alone for any number of lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
_MARK = re.compile(r"<!--\s*(commands|not run|file):\s*(.*?)\s*-->", re.DOTALL)
_PROGRESS = re.compile(r"[\w ]+: [0-9,]+( of [0-9,]+)?(,|$)")
"""Told now and then of whatever takes longer than a second, which depends on the machine."""
_COMMANDS = frozenset({"sh", "console"})
KNOWN = frozenset({"sh", "console", "text", "yaml", "json", "python", "nginx", "html", "diff", "sql"})


@dataclass(frozen=True)
class Block:
    """A fenced block. `mark` is "not run" or "file" with its words, where the page says so just above."""

    page: str
    line: int
    language: str
    text: str
    mark: str = ""
    words: str = ""
    situation: str = ""
    scene: int = 0

    @property
    def commands(self) -> bool:
        return self.language in _COMMANDS

    @property
    def runs(self) -> bool:
        return self.commands and self.mark != "not run"

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Page:
    name: str
    blocks: tuple[Block, ...]
    indented: tuple[Block, ...]

    def scenes(self) -> list[tuple[str, list[Block]]]:
        """Situations in order, each with the blocks that run in it, one after the other."""
        used = [block for block in self.blocks if block.runs or block.mark == "file"]
        groups = [list(group) for _, group in groupby(used, key=lambda block: (block.scene, block.situation))]
        return [(group[0].situation, group) for group in groups if any(block.runs for block in group)]


def pages() -> list[Path]:
    """Every page that people read: the site's, and those at the top."""
    return sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))


def read(path: Path) -> Page:
    """The blocks of one page, in order."""
    name = path.relative_to(ROOT).as_posix()
    situation, mark, words, scene = "", "", "", 0
    blocks: list[Block] = []
    indented: list[Block] = []
    for token in MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8")):
        found = _MARK.fullmatch(token.content.strip()) if token.type == "html_block" else None
        if found and found[1] == "commands":
            situation, scene = found[2], scene + 1
        elif found:
            mark, words = found[1], found[2]
        elif token.type == "code_block" and token.map:
            indented.append(Block(name, token.map[0] + 1, "", token.content))
        elif token.type == "fence" and token.map:
            blocks.append(
                Block(name, token.map[0] + 1, token.info.strip(), token.content, mark, words, situation, scene)
            )
            mark, words = "", ""
    return Page(name, tuple(blocks), tuple(indented))


@dataclass(frozen=True)
class Step:
    """One command of a console block, and what it shows."""

    command: str
    shown: tuple[str, ...]


def steps(block: Block) -> Iterator[Step]:
    """The commands of a console block. A command goes on in the next line after a backslash."""
    command: list[str] = []
    shown: list[str] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            if command:
                yield Step("\n".join(command), tuple(shown))
            command, shown = [line[2:]], []
        elif command and command[-1].endswith("\\") and not shown:
            command.append(line)
        else:
            shown.append(line)
    if command:
        yield Step("\n".join(command), tuple(shown))


def shows(shown: tuple[str, ...], printed: str) -> bool:
    """Whether what was printed is what the page shows, white space aside."""
    pattern = "".join(_line(line) for line in shown)
    lines = [line for line in printed.rstrip("\n").splitlines() if not _PROGRESS.match(line)]
    actual = "".join(f"{' '.join(line.split())}\n" for line in lines)
    return re.fullmatch(pattern, actual) is not None


def _line(line: str) -> str:
    if line.strip() == "...":
        return r"(?:[^\n]*\n)*?"
    pieces = [re.escape(" ".join(piece.split())) for piece in re.split(r"\s*\.\.\.\s*", line.strip())]
    return r"[^\n]*".join(pieces) + "\n"
