"""A commit to a file of a plan makes more people its authors, and never fewer: histories at random, by real git."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.planning.authors import Authors

from .repository import git

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["edit", "rename", "delete and add", "edit beside an edit", "rename beside an edit"]),
        st.sampled_from(["changeset", "data"]),
    ),
    min_size=1,
    max_size=6,
)


class History:
    """A changeset and its data, under names that change. Every commit is by a new person."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names = {"data": "rows.csv", "changeset": "one.yaml"}
        self._people = 0
        git(folder, "init", "-q", "-b", "main")
        for file, name in self._names.items():
            (folder / name).write_text("".join(f"line {number} of {file}\n" for number in range(40)))
            self._commit()

    def step(self, what: str, file: str) -> set[str]:
        """Make these commits; everyone who wrote something in them."""
        own, _, beside = what.partition(" beside ")
        if not beside:
            return self._change(own, file, line=0)
        git(self._folder, "checkout", "-q", "-b", f"side-{self._people}")
        name = self._names[file]
        people = self._change(own, file, line=0)
        side = self._names[file]
        git(self._folder, "checkout", "-q", "main")
        self._names[file] = name
        people |= self._change("edit", file, line=39)
        git(self._folder, "merge", "-q", "--no-ff", "--no-edit", "@{-1}", email="merger@example.com")
        self._names[file] = side
        return people

    def authors(self) -> set[str]:
        return set(Authors(self._folder, os.environ).of(self._names["changeset"], [self._names["data"]]))

    def _change(self, what: str, file: str, *, line: int) -> set[str]:
        path = self._folder / self._names[file]
        lines = path.read_text().splitlines(keepends=True)
        lines[line] = f"changed {self._people} times\n"
        match what:
            case "rename":
                self._names[file] = f"{self._people}-{file}"
                git(self._folder, "mv", path.name, self._names[file])
                return {self._commit()}
            case "delete and add":
                path.unlink()
                deleted = self._commit()
                path.write_text("".join(lines))
                return {deleted, self._commit()}
            case _:
                path.write_text("".join(lines))
                return {self._commit()}

    def _commit(self) -> str:
        self._people += 1
        person = f"person{self._people}@example.com"
        git(self._folder, "add", "-A")
        git(self._folder, "commit", "-q", "-m", "x", email=person)
        return person


@settings(max_examples=12, deadline=None)
@given(STEPS)
def test_further_commits_keep_everyone_an_author(steps: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder))
        before = history.authors()
        assert before == {"person1@example.com", "person2@example.com"}
        for what, file in steps:
            people = history.step(what, file)
            after = history.authors()
            assert after == before | people, (what, file)
            before = after
