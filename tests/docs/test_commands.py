"""Every command block of every page runs: the real command line, in a folder of its own, against a real sandbox."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.docs.blocks import KNOWN, Block, Page, pages, read, shows
from tests.docs.shell import Shell
from tests.docs.situations import SITUATIONS, Scene
from tests.postgres_server import PostgresServer, postgres_server

__all__ = ["postgres_server"]

READ = [read(path) for path in pages()]
NOT_RUN = 12
"""So many blocks may be left out, in all; each says why."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("page", [page for page in READ if page.scenes()], ids=lambda page: page.name)
def test_the_commands_of(page: Page, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    def database() -> str:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        return server.new_database()

    problems: list[str] = []
    for number, (situation, blocks) in enumerate(page.scenes()):
        folder = tmp_path / str(number)
        folder.mkdir()
        with ExitStack() as stack:
            place = Scene(folder, stack, database).make(situation)
            shell = Shell(
                place.folder, folder / "shell", free_port(),
                words=place.words, variables=place.variables, home=place.home,
            )  # fmt: skip
            problems += shell.run(blocks)
    assert not problems, "\n\n".join(problems)


def test_every_block_says_what_it_is() -> None:
    """A block without a language, or an indented one, could hold commands that nobody runs."""
    blocks = [block for page in READ for block in page.blocks]
    assert blocks
    assert [block.place for block in blocks if block.language not in KNOWN] == []
    hidden = [
        block.place
        for page in READ
        for block in page.indented
        if any(line.strip().startswith(("syncengine", "python", "./", ".ci", "$ ")) for line in block.text.splitlines())
    ]
    assert hidden == []


def test_what_is_not_run_is_little_and_says_why() -> None:
    left_out = [block for page in READ for block in page.blocks if block.mark == "not run"]
    assert [block.place for block in left_out if len(block.words) < 20 or not block.commands] == []
    assert len(left_out) <= NOT_RUN, [block.place for block in left_out]


def test_every_page_with_commands_says_where_they_run() -> None:
    for page in READ:
        for block in page.blocks:
            assert not block.runs or block.situation in SITUATIONS, (
                f"{block.place}: put `<!-- commands: SITUATION -->` above it (tests/docs/situations.py lists them), "
                "or `<!-- not run: REASON -->`"
            )


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (("a  b",), "a b\n", True),
        (("a", "...", "c"), "a\nb\nb\nc\n", True),
        (("a", "..."), "a\n", True),
        (("run ... ended",), "run 7 ended\n", True),
        (("a",), "a\nb\n", False),
        (("a.c",), "abc\n", False),
        ((), "anything\n", False),
        ((), "", True),
        (("done",), "applying: 1 of 4, 1 applied, 1/s\ndone\n", True),
    ],
)
def test_how_what_is_printed_is_compared(shown: tuple[str, ...], printed: str, same: bool) -> None:
    assert shows(shown, printed) is same


def test_a_block_belongs_to_the_situation_above_it() -> None:
    blocks = [
        Block("p.md", 1, "sh", "true\n", situation="an empty folder"),
        Block("p.md", 5, "text", "no command\n", situation="an empty folder"),
        Block("p.md", 9, "sh", "true\n", "not run", "because of this and that", situation="an empty folder"),
        Block("p.md", 12, "sh", "true\n", situation="a project"),
    ]
    page = Page("p.md", tuple(blocks), ())
    assert [(name, [block.line for block in each]) for name, each in page.scenes()] == [
        ("an empty folder", [1]),
        ("a project", [12]),
    ]
