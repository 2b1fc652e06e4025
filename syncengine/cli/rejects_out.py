"""Where rejected rows are written: a file and one beside it, or a folder where there are several sources."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from syncengine.core.errors import InputError
from syncengine.documents.result_files import result_file

if TYPE_CHECKING:
    from syncengine.cli.output import Output
    from syncengine.rejects import RowOutcomes, TableCounts, VerifiedSource
    from syncengine.rejects.row_store import RowStore

PARTLY = ".partly"
_OWN_HEADER = b"syncengine_outcome"
_LONGEST_HEADER = 1 << 20


class WrittenTable(msgspec.Struct, frozen=True, kw_only=True):
    """What was written of one source. `file` and `partly` are None where no row belongs into them."""

    changeset: str
    source: str
    file: str | None
    partly: str | None
    counts: TableCounts


class RejectsTarget:
    """The path that a user named. With `replace`, what an earlier call wrote there is renamed, never lost."""

    def __init__(self, path: Path, sources: Sequence[VerifiedSource], root: Path, *, replace: bool) -> None:
        """`root` is the repository, which the labels of sources are relative to."""
        self.path = path
        self._sources = sources
        self._files = {(root / each.source.label).resolve() for each in sources}
        self._several = len(sources) > 1
        self._replace = replace
        self.kept: list[tuple[Path, Path]] = []
        """Earlier files of ours, and their new names: they may hold corrections that are nowhere else."""

    def check(self) -> None:
        """Raise InputError where something else is there, or the folder is missing."""
        for path in (self.path,) if self._several else (self.path, _beside(self.path)):
            if not self._may_write(path):
                raise InputError(
                    f"{path} exists already", code="SE901", hint="name a file that does not, or remove it first"
                )
        if self.path.resolve() in self._files:
            # A corrected table has the columns of one of ours, and is the only copy of the corrections.
            raise InputError(f"{self.path} is a source of the plan", code="SE901", hint="name another file")
        if not self.path.absolute().parent.is_dir():
            raise InputError(
                f"cannot write {self.path}: there is no folder {self.path.parent}", code="SE902", hint="make it first"
            )

    def write(self, outcomes: RowOutcomes) -> list[WrittenTable]:
        """Write every table that has rows. Raises InputError or Refusal, and then nothing appears."""
        self.check()
        sources = [each for each in self._sources if each.key in outcomes.stores]
        if not self._several:
            return [self._table(self.path, self.path, each, outcomes.stores[each.key]) for each in sources]
        if not any(store.rejected or store.partly for store in outcomes.stores.values()):
            self._set_aside(self.path)
            return [_none(each) for each in sources]
        with _folder(self.path, self._set_aside) as partial:
            names = {each.key: f"{each.changeset}.{each.name}.csv" for each in sources}
            return [
                self._table(partial / names[each.key], self.path / names[each.key], each, outcomes.stores[each.key])
                for each in sources
            ]

    def _table(self, place: Path, named: Path, source: VerifiedSource, store: RowStore) -> WrittenTable:
        """Write at `place`, which becomes `named`."""
        from syncengine.rejects import write_table

        with ExitStack() as stack:
            if store.partly:
                partly = stack.enter_context(result_file(_beside(place), private=True))
            if store.rejected:
                rejected = stack.enter_context(result_file(place, private=True))
            counts = write_table(source, store, rejected if store.rejected else None, partly if store.partly else None)
            # The new tables are complete, and take these places at the end of this block.
            self._set_aside(place)
            self._set_aside(_beside(place))
        return WrittenTable(
            changeset=source.changeset,
            source=source.name,
            file=str(named) if store.rejected else None,
            partly=str(_beside(named)) if store.partly else None,
            counts=counts,
        )

    def _set_aside(self, path: Path) -> None:
        """Rename what an earlier call wrote, which `check` made sure of, to the first free PATH.1, PATH.2, ..."""
        if not os.path.lexists(path):
            return
        if _is_empty_folder(path):
            path.rmdir()
            return
        free = next(new for n in count(1) if not os.path.lexists(new := path.with_name(f"{path.name}.{n}")))
        path.rename(free)
        self.kept.append((path, free))

    def _may_write(self, path: Path) -> bool:
        if not os.path.lexists(path) or (self._several and _is_empty_folder(path)):
            return True
        return self._replace and self._is_own(path)

    def _is_own(self, path: Path) -> bool:
        """Whether an earlier call wrote this, so that it can be written again from the ledger."""
        if path.is_symlink():
            return False
        if not self._several:
            return path.is_file() and _has_own_header(path)
        return path.is_dir() and all(each.is_file() and _has_own_header(each) for each in path.iterdir())


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}{PARTLY}")


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


def _has_own_header(path: Path) -> bool:
    with path.open("rb") as file:
        # Whatever the encoding, zero bytes aside; a line `sep=` may come first.
        return _OWN_HEADER in b"".join(file.readline(_LONGEST_HEADER) for _ in range(2)).replace(b"\0", b"")


@contextmanager
def _folder(path: Path, set_aside: Callable[[Path], None]) -> Iterator[Path]:
    """A folder that takes its place at `path` once the block ends without an error; mode 0700."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(mode=0o700)
        try:
            yield partial
            set_aside(path)
            partial.replace(path)
        finally:
            if partial.exists():
                shutil.rmtree(partial)
    except OSError as error:
        raise InputError(
            f"cannot write {path}: {error.strerror}", code="SE902", hint="choose another place, or free space"
        ) from error


def _none(source: VerifiedSource) -> WrittenTable:
    from syncengine.rejects import TableCounts

    return WrittenTable(
        changeset=source.changeset, source=source.name, file=None, partly=None, counts=TableCounts()
    )  # fmt: skip


def tables_object(tables: Sequence[WrittenTable], without_source: int) -> dict[str, Any]:
    """What JSON results say of the tables."""
    return {
        "tables": [
            {
                "changeset": table.changeset,
                "source": table.source,
                "file": table.file,
                "rejected": table.counts.rejected,
                "not_sent": table.counts.not_sent,
                "partly_file": table.partly,
                "partly": table.counts.partly,
            }
            for table in tables
        ],
        "without_source": without_source,
    }


def show_tables(output: Output, tables: Sequence[WrittenTable], without_source: int) -> None:
    """The same in words, and what the reader should know of the files."""
    for table in tables:
        counts = table.counts
        if table.file is not None:
            said = [f"{n:,} {word}" for n, word in ((counts.rejected, "rejected"), (counts.not_sent, "not sent")) if n]
            output.result(f"{table.file}: {_rows(counts.rejected + counts.not_sent)} to correct ({', '.join(said)})")
        if table.partly is not None:
            output.result(f"{table.partly}: {_rows(counts.partly)} of which something was applied or is in doubt")
    if not any(table.file or table.partly for table in tables):
        output.result("No row was rejected or kept back; no file was written.")
    if without_source:
        what = "1 operation" if without_source == 1 else f"{without_source:,} operations"
        output.note(f"{what} of changes without a source is in no file; see 'syncengine history --run RUN'")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def warn_of_git(output: Output, tables: Sequence[WrittenTable], environ: Mapping[str, str]) -> None:
    """The files hold personal data: say where `git add .` would take them along."""
    from syncengine.planning.git import Git, GitCannotTell

    git = Git(environ)
    written = [Path(name).absolute() for table in tables for name in (table.file, table.partly) if name is not None]
    try:
        seen = [
            path
            for path in written
            if git.run(path.parent, "rev-parse", "--is-inside-work-tree") == b"true\n"
            and git.run(path.parent, "check-ignore", "--quiet", "--", f"./{path.name}", patterns=True) is None
        ]
    except GitCannotTell:
        return
    if seen:
        output.warning(
            f"{seen[0].name} holds personal data, and git does not ignore it: 'git add' would take it along; add its "
            "name to .gitignore, or write it into a folder that is there, such as rejects/"
        )
