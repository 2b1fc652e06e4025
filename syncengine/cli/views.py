"""The four views of a plan, for every command that shows one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from syncengine.cli.command import Invocation
from syncengine.core.settings import Account, Settings
from syncengine.reports.model import ViewOptions

if TYPE_CHECKING:
    from syncengine.api import Planned
    from syncengine.core.finding import Finding
    from syncengine.core.log_commands import Syntax
    from syncengine.core.plan import PlanHeader, PlannedOperation, PlanSummary, Provenance, Selection
    from syncengine.planning import Identities, PlanFile, SealedPlan
    from syncengine.planning.sealed_plans import Cover
    from syncengine.project import Project
    from syncengine.reports.model import Fold

    Parts = tuple[PlanHeader, Provenance, Iterable[PlannedOperation], PlanSummary, ViewOptions]

FORMATS = ("text", "markdown", "html", "json")
FOR_CI = ("sarif", "github")
_GATHERED = 1 << 16
"""Characters that are written at once."""


def review_options(
    options: ViewOptions, project: Project | None, header: PlanHeader, summary: PlanSummary, path: Path | None
) -> ViewOptions:
    """The same with what is known of this plan here: its approvals, names of targets, and where its files are linked.

    `path` is where the plan is saved. Without a configuration nothing is known.
    """
    if project is None:
        return options
    from syncengine.cli.approval_state import approvals_so_far
    from syncengine.planning.made_from import origin_of
    from syncengine.reports.forge import find_forge, html_artifact

    origin, folder = origin_of(Path(project.settings.root), project.environ)
    return msgspec.structs.replace(
        options,
        approvals=approvals_so_far(project, header, summary, path),
        forge=find_forge(project.environ, origin, folder),
        artifact=html_artifact(project.environ),
    )


def view_options(invocation: Invocation, settings: Settings | None, account: str, *, show_values: bool) -> ViewOptions:
    """Options for this terminal and this account's public fields."""
    known = None if settings is None else settings.accounts.get(account)
    return ViewOptions(
        width=invocation.output.width,
        colour=invocation.output.colour,
        show_values=show_values,
        public_fields=frozenset() if known is None else frozenset(known.fields.public),
        names={} if known is None else target_names(known),
    )


def target_names(account: Account) -> dict[tuple[str, str], str]:
    """What the account calls its deliveries and buyers, by id."""
    named = {"delivery": account.deliveries, "buyer": account.buyers}
    return {(what, str(id_)): name for what, ids in named.items() for name, id_ in ids.items()}


def show_plan(
    invocation: Invocation,
    path: Path,
    project: Project | None,
    *,
    format_: str,
    show_values: bool,
    identities: Identities | None = None,
    planned: Planned | None = None,
    selection: Selection | None = None,
) -> None:
    """Write one view of a saved plan to stdout. Of a sealed one that `identities` do not open: its cover alone.

    `planned` is given right after it was planned: its findings need not be worked out again. `selection` restricts
    the operations that are shown.
    """
    from syncengine.cli.progress_so_far import progress_so_far
    from syncengine.cli.shown_part import shown_part
    from syncengine.planning import SealedPlan, open_plan

    settings = None if project is None else project.settings
    try:
        plan = open_plan(path, identities)
    except SealedPlan as sealed:
        _show_cover(invocation, sealed, settings, format_)
        return
    with plan:
        options = view_options(invocation, settings, plan.header.account, show_values=show_values)
        summary = reviewed(plan, settings) if planned is None else planned.summary
        options = review_options(options, project, plan.header, summary, path)
        progress = progress_so_far(project, plan) if planned is None else planned.progress
        options = msgspec.structs.replace(options, progress=progress)
        if selection is not None and selection.partial:
            options = msgspec.structs.replace(options, part=shown_part(plan, selection))
        _show(invocation, (plan.header, plan.provenance, plan.operations(), summary, options), format_)


def reviewed(plan: PlanFile, settings: Settings | None) -> PlanSummary:
    """The end of a saved plan with its findings: those that follow from its lines are worked out from them."""
    from syncengine.planning.findings_policy import findings_from_lines, with_findings

    policy = None if settings is None else settings.policy
    return with_findings(plan.summary, findings_from_lines(plan), policy)


def _show_cover(invocation: Invocation, sealed: SealedPlan, settings: Settings | None, format_: str) -> None:
    cover = sealed.cover
    invocation.output.warning(f"{sealed.message}; {sealed.hint}")
    options = view_options(invocation, settings, cover.header.account, show_values=False)
    options = msgspec.structs.replace(options, lines=False)
    _show(invocation, (cover.header, cover.provenance, (), _summary(cover), options), format_)


def _summary(cover: Cover) -> PlanSummary:
    """What the outside of a sealed plan says, with the warning that it is no more than that."""
    from syncengine.core.plan import Blocker, ChangesetHeader, PlanSummary

    return PlanSummary(
        digest=cover.digest,
        counts=cover.counts,
        blocked=(Blocker(reason=f"{cover.findings} findings, sealed"),) if cover.findings else (),
        warnings=(
            "sealed: operations, findings and warnings are not shown, and nothing vouches for these counts and this "
            "digest until the plan is opened",
        ),
        changesets=tuple(ChangesetHeader(id=name, title="", file="", vars={}, sources={}) for name in cover.changesets),
    )


def pieces_of_plan(
    invocation: Invocation,
    planned: Planned,
    project: Project,
    *,
    format_: str,
    show_values: bool,
    identities: Identities | None,
) -> Iterator[str]:
    """One view of a plan right after it was planned, in pieces: lines without line ends where the format is text.

    It is one of several plans, so that its JSON names its file.
    """
    from syncengine.planning import open_plan
    from syncengine.reports.machine import plan_json

    assert planned.path is not None, "a plan that is shown was saved"
    header, summary = planned.header, planned.summary
    options = view_options(invocation, project.settings, header.account, show_values=show_values)
    options = review_options(options, project, header, summary, planned.path)
    options = msgspec.structs.replace(options, progress=planned.progress)
    with open_plan(planned.path, identities) as plan:
        parts = (header, planned.provenance, plan.operations(), summary, options)
        if format_ == "json":
            yield from plan_json(*parts, file=planned.path.name)
        else:
            yield from _view(parts, format_)


def _show(invocation: Invocation, parts: Parts, format_: str) -> None:
    if format_ in FOR_CI:
        show_for_ci(invocation, parts[3].findings, format_)
        return
    syntax: Syntax = "json" if format_ == "json" else "html" if format_ == "html" else "text"
    if format_ == "text":
        invocation.output.paged(_view(parts, format_))
        return
    for piece in gathered(_view(parts, format_)):
        invocation.output.piece(piece, syntax)


def show_for_ci(invocation: Invocation, findings: Iterable[Finding], format_: str) -> None:
    """Findings that have a place, for machines that show them beside the lines."""
    from syncengine import __version__
    from syncengine.core.results import ValidateResult
    from syncengine.reports.annotations import finding_problems, github_annotations
    from syncengine.reports.sarif import sarif

    problems = finding_problems(findings)
    if format_ == "sarif":
        result = ValidateResult(changesets=0, problems=problems)
        invocation.output.verbatim(sarif(result, version=__version__), "json")
        return
    for line in github_annotations(problems):
        invocation.output.verbatim(line, "commands")


def gathered(pieces: Iterable[str]) -> Iterator[str]:
    """The same in larger pieces: each is looked through and written by itself."""
    held: list[str] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _GATHERED:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)


def _view(parts: Parts, format_: str) -> Iterator[str]:
    match format_:
        case "markdown":
            from syncengine.reports.markdown import plan_markdown

            yield plan_markdown(*parts)
        case "html":
            from syncengine.reports.html import plan_html

            yield from plan_html(*parts)
        case "json":
            from syncengine.reports.machine import plan_json

            yield from plan_json(*parts)
        case _:
            from syncengine.reports.text import plan_text

            yield from plan_text(*parts)


class LiveView:
    """A view that is folded while the plan is made, so that its lines need not be read back: text and Markdown.

    The other two list the operations one by one, and are shown from the saved plan.
    """

    formats = frozenset({"text", "markdown"})

    def __init__(self, format_: str, options: ViewOptions) -> None:
        self._format = format_
        self._options = options
        self._fold = _folding(format_, options)
        self.see: Callable[[PlannedOperation], None] = self._fold.add

    def show(
        self,
        invocation: Invocation,
        planned: Planned,
        project: Project,
        *,
        saved: Path,
        out: Path | None,
        identities: Identities | None,
    ) -> None:
        """Write the view to stdout. `saved` is where the plan is for now, `out` where it stays."""
        summary = planned.summary
        options = review_options(self._options, project, planned.header, summary, out)
        options = msgspec.structs.replace(options, progress=planned.progress)
        parts = (self._fold, planned.header, planned.provenance, summary, options)
        more = _flagged_operations(saved, identities, summary, options.detail)
        if self._format == "markdown":
            from syncengine.reports.markdown import folded_markdown

            invocation.output.piece(folded_markdown(*parts, more=more))
            return
        from syncengine.reports.text import folded_text

        invocation.output.paged(folded_text(*parts, more=more))


def _flagged_operations(
    path: Path, identities: Identities | None, summary: PlanSummary, most: int
) -> Sequence[PlannedOperation]:
    """The operations that findings name: they are known only once the plan is made, and views list them first."""
    from syncengine.planning import open_plan
    from syncengine.reports.findings import flagged

    ids = flagged(summary.findings, most)
    if not ids:
        return ()
    with open_plan(path, identities) as plan:
        return plan.operations_named(ids)


def _folding(format_: str, options: ViewOptions) -> Fold:
    if format_ == "markdown":
        from syncengine.reports.markdown import markdown_fold

        return markdown_fold(options)
    from syncengine.reports.text import text_fold

    return text_fold(options)
