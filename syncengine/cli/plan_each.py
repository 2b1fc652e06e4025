"""`plan --each DIR`: one plan for each changeset, and their views one after the other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

import msgspec

from syncengine.cli.command import Invocation
from syncengine.cli.views import FOR_CI, pieces_of_plan, show_for_ci
from syncengine.core.errors import Exit
from syncengine.reports.markdown_parts import units

if TYPE_CHECKING:
    from syncengine.api import Planned
    from syncengine.core.finding import Finding
    from syncengine.planning import Identities
    from syncengine.planning.plans_file import PlansFile
    from syncengine.planning.plans_folder import PlansFolder
    from syncengine.project import Project
    from syncengine.reports.plans_page import PlanRow


_RULE = "\n---\n\n"


class _StoredView(msgspec.Struct, frozen=True):
    """A Markdown view that waits: its plan's file, and its length in characters and as services count them."""

    file: str
    length: int
    units: int


class EachViews:
    """The views of the plans of one command.

    Nothing is printed before all plans are made, so that a failing command prints its error alone. Until then the
    views wait in a file without a name: in memory there is one plan at a time.
    """

    def __init__(
        self,
        invocation: Invocation,
        project: Project,
        folder: PlansFolder,
        *,
        format_: str,
        show_values: bool,
        identities: Identities | None,
    ) -> None:
        self._invocation = invocation
        self._project = project
        self._folder = folder
        self._format = format_
        self._show_values = show_values
        self._identities = identities
        # Lines end at \n alone, as values hold line ends of other kinds; lone surrogates are kept for the output.
        self._waiting: IO[str] = tempfile.TemporaryFile(  # noqa: SIM115 - closed by __exit__
            "w+", encoding="utf-8", errors="surrogatepass", newline="\n", prefix="syncengine-"
        )
        self._findings: list[Finding] = []
        self._rows: list[PlanRow] = []
        self._views: list[_StoredView] = []
        self._count = 0
        self.blocked = 0
        self.to_send = 0

    def add(self, planned: Planned) -> None:
        """Take the view of one more plan."""
        self._count += 1
        self.blocked += bool(planned.summary.blocked)
        self.to_send += planned.summary.counts.to_send
        if self._format in FOR_CI:
            self._findings += planned.summary.findings
        elif self._format == "html":
            self._write_page(planned)
        elif self._format == "json":
            self._waiting.write("" if self._count == 1 else ",\n")
            self._waiting.writelines(self._pieces(planned))
        else:
            self._write_headed(planned)

    def _pieces(self, planned: Planned) -> Iterator[str]:
        return pieces_of_plan(
            self._invocation, planned, self._project,
            format_=self._format, show_values=self._show_values, identities=self._identities,
        )  # fmt: skip

    def _write_headed(self, planned: Planned) -> None:
        changeset, file = planned.provenance.selection.each, planned.path
        if self._format == "markdown":
            view = f"# `{changeset}`\n\n{''.join(self._pieces(planned))}"
            self._waiting.write(view)
            self._views.append(_StoredView(str(file), len(view), units(view)))
            return
        gap = "" if self._count == 1 else "\n"
        self._waiting.write(f"{gap}=== changeset {changeset} · {file} ===\n\n")
        self._waiting.writelines(f"{line}\n" for line in self._pieces(planned))

    def _write_page(self, planned: Planned) -> None:
        from syncengine.documents.result_files import result_file
        from syncengine.reports.plans_page import row_of_plan

        path, mark = self._folder.page_for(planned.provenance.selection.each)
        with result_file(path, private=True) as page:
            marked = False
            for piece in self._pieces(planned):
                text = piece
                if not marked:
                    first, end, rest = piece.partition("\n")
                    text, marked = f"{first}{end}{mark}\n{rest}", True
                page.write(text.encode("utf-8", "replace"))
        self._rows.append(row_of_plan(planned.header, planned.provenance, planned.summary, path.name))

    def show(self, content: PlansFile, code: Exit) -> None:
        """Write everything to stdout."""
        output = self._invocation.output
        self._waiting.seek(0)
        match self._format:
            case "json":
                from syncengine.reports.machine import plans_json

                for piece in plans_json(self._blocks(), content.warnings, int(code)):
                    output.piece(piece, "json")
            case "html":
                from syncengine.reports.plans_page import plans_page

                output.piece(plans_page(content.account, self._rows, content.warnings), "html")
            case "text":
                output.paged(self._text_lines(content))
            case "markdown":
                for piece in self._markdown(content):
                    output.piece(piece)
            case _:
                show_for_ci(self._invocation, self._findings, self._format)

    def _text_lines(self, content: PlansFile) -> Iterator[str]:
        yield from (line.removesuffix("\n") for line in self._waiting)
        if self._count:
            yield ""
        yield _total_words(content, self._count)
        yield from (f"warning: {warning}" for warning in content.warnings)

    def _markdown(self, content: PlansFile) -> Iterator[str]:
        """One comment, of which each view gets a fair share where they are too long together."""
        from syncengine.reports.markdown import LIMIT
        from syncengine.reports.markdown_together import cut_view, shares

        ending = _markdown_ending(content, self._count)
        taken = sum(units(line) + 1 for line in ending) + len(_RULE) * self._count
        rooms = shares([view.units for view in self._views], LIMIT - 500 - taken)
        for number, (view, room) in enumerate(zip(self._views, rooms, strict=False)):
            yield (_RULE if number else "") + cut_view(self._waiting.read(view.length), room, view.file)
        if left_out := len(self._views) - len(rooms):
            yield f"{_RULE}*{left_out} more plans are not shown here:* `syncengine show` *shows each.*\n"
        yield from (f"{line}\n" for line in ending)

    def _blocks(self) -> Iterator[str]:
        while block := self._waiting.read(1 << 16):
            yield block

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting.close()


def _total_words(content: PlansFile, count: int) -> str:
    if not count:
        return "Nothing to send: no changeset has anything to send, held, in doubt or blocked"
    left = sum(plan.left for plan in content.plans)
    return f"{count} plan{'s' if count > 1 else ''}, {left:,} operation{'s' if left != 1 else ''} left"


def _markdown_ending(content: PlansFile, count: int) -> list[str]:
    from syncengine.reports.markdown_parts import prose
    from syncengine.reports.markdown_together import WARNINGS, fitting

    rule = ["", "---", ""] if count else []
    warnings = fitting([f"- {prose(warning)}" for warning in content.warnings], WARNINGS)
    return [*rule, f"**{_total_words(content, count)}**", *([""] if warnings else []), *warnings]
