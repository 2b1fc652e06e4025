"""`syncengine plan`: work out what would be sent, show it and save it. Sends nothing."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncengine.cli.command import Command, Invocation, format_option, part_options
from syncengine.core.errors import Exit

if TYPE_CHECKING:
    from syncengine.api import Planned
    from syncengine.changeset.load import Loaded
    from syncengine.cli.progress import Progress
    from syncengine.core.plan import PlannedOperation, PlanSummary, Selection
    from syncengine.ledger import Ledger
    from syncengine.planning import Identities, Seal
    from syncengine.planning.unsent import UnsentOperations
    from syncengine.planning_inputs import PlanningInputs
    from syncengine.project import Project

_STEP = 500
"""Operations between two looks at the clock."""


class _Counting:
    """Moves the progress display on as operations are planned."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._seen = 0

    def see(self, planned: PlannedOperation) -> None:
        """One operation."""
        self._seen += 1
        if self._seen % _STEP == 0:
            self._progress.advance(_STEP)


@click.command(
    cls=Command,
    examples=(
        "syncengine plan changesets/                          # only look",
        "syncengine plan changesets/ --out release.plan",
        "syncengine plan changesets/ --limit 5 --out first.plan   # five leads first, to see how it goes",
        "syncengine plan changesets/ --each plans             # one plan for each changeset",
        "syncengine plan --offline changesets/ --format markdown > plan.md",
        "syncengine plan changesets/ --observed export.csv --observed-at 2026-11-20T18:00:00Z",
    ),
    epilog="Exit codes: 0 planned; 2 with --detailed-exitcode if there are operations to send; 1 wrong input; 3 "
    "blocked (the file is written, and apply refuses it), unless --expect names that very plan; 3 with --expect where "
    "it is another one (nothing is written).",
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="File to save the plan to.")
@click.option("--each", type=click.Path(path_type=Path), metavar="DIR",
              help="Folder for one plan for each changeset (ID.plan) and their list, plans.json. Plans that an earlier "
              "--each left there are removed first.")  # fmt: skip
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="Override a variable; repeatable.")
@click.option("--changeset", "only", multiple=True, metavar="ID", help="Plan only this changeset; repeatable.")
@click.option("--since", metavar="REV",
              help="Plan only changesets that differ from this git revision, or whose file sources do.")  # fmt: skip
@click.option("--expect", metavar="DIGEST|FILE",
              help="Refuse (exit code 3) where the plan has another digest; with --each, where the plans are not those "
              "of this plans.json.")  # fmt: skip
@part_options("Plan")
@click.option("--observed", type=click.Path(path_type=Path), metavar="FILE",
              help="Export of leads to take values before from, as CSV or JSON Lines.")  # fmt: skip
@click.option("--observed-at", metavar="TIME", help="Time of the export, if the file does not state it.")
@click.option("--offline", is_flag=True, help="Open no connection and read no API key.")
@click.option("--sql-from", "sql_from", multiple=True, type=click.Path(path_type=Path), metavar="DIR",
              help="Refuse SQL sources whose database and statement no changeset in DIR uses; repeatable.")  # fmt: skip
@click.option("--values", type=click.Choice(("plain", "sealed")), default="plain", show_default=True,
              help="Storage of lead data in the plan; sealed encrypts it to the recipients.")  # fmt: skip
@click.option("--recipient", "recipients", multiple=True, metavar="KEY",
              help="Recipient of the sealed plan: age1..., an SSH key, or a file of keys; repeatable.")  # fmt: skip
@click.option("--show-values", is_flag=True, help="Show personal values instead of masks.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there are operations to send.")
@format_option("text", "markdown", "html", "json", "sarif", "github")
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    paths: tuple[Path, ...],
    out: Path | None,
    each: Path | None,
    variables: tuple[str, ...],
    only: tuple[str, ...],
    since: str | None,
    expect: str | None,
    leads: tuple[str, ...],
    changes: tuple[str, ...],
    limit: int | None,
    observed: Path | None,
    observed_at: str | None,
    offline: bool,
    sql_from: tuple[Path, ...],
    values: str,
    recipients: tuple[str, ...],
    show_values: bool,
    detailed_exitcode: bool,
    format_: str,
) -> int:
    """Compute the operations to send, show them and save them as a plan.

    Nothing is sent, and no ledger is created or changed.

    PATH is a changeset file, or a folder that is searched for *.yaml and *.yml.
    """
    from syncengine.cli.variables import parse_variables
    from syncengine.core.plan import Selection

    options = _Options(
        paths=paths,
        out=out,
        each=each,
        only=only,
        since=since,
        expect=expect,
        selection=Selection(
            variables=parse_variables(variables),
            changesets=tuple(sorted(set(only))),
            leads=tuple(sorted(set(leads))),
            changes=tuple(sorted(set(changes))),
            limit=limit,
        ),
        observed=observed,
        observed_at=observed_at,
        offline=offline,
        sql_from=sql_from,
        seal=_seal(values, recipients, out or each),
        show_values=show_values,
        detailed_exitcode=detailed_exitcode,
        format_=format_,
    )
    return _plan(invocation, options) if each is None else _plan_each(invocation, options, each)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """The options of one call."""

    paths: tuple[Path, ...]
    out: Path | None
    each: Path | None
    only: tuple[str, ...]
    since: str | None
    expect: str | None
    selection: Selection
    observed: Path | None
    observed_at: str | None
    offline: bool
    sql_from: tuple[Path, ...]
    seal: Seal | None
    show_values: bool
    detailed_exitcode: bool
    format_: str

    def load(self, invocation: Invocation) -> tuple[Project, Loaded]:
        """The project and the chosen changesets."""
        from syncengine.api import load

        project = _project(invocation, self.paths, offline=self.offline)
        loaded = load(
            self.paths,
            project,
            variables=self.selection.variables,
            only=self.only,
            command="plan",
            sql_from=self.sql_from,
        )
        return project, loaded if self.since is None else _changed_since(invocation, project, loaded, self.since)

    @property
    def identities(self) -> Identities | None:
        """The private keys that open what this process seals."""
        return None if self.seal is None else self.seal.identities

    def exit_code(self, *, blocked: bool, to_send: int) -> Exit:
        """The command's exit code."""
        if blocked and self.expect is None:
            return Exit.REFUSED
        return Exit.CHANGES if self.detailed_exitcode and to_send else Exit.DONE


def _changed_since(invocation: Invocation, project: Project, loaded: Loaded, revision: str) -> Loaded:
    from syncengine.planning.since import ChangedSince

    since = ChangedSince(Path(project.settings.root), project.environ, revision)
    changed = loaded.choose(since.differs)
    count = len(loaded.changesets)
    invocation.output.note(f"{len(changed.changesets)} of {count} changesets differ from {revision}")
    return changed


def _plan(invocation: Invocation, options: _Options) -> int:
    """One plan of all chosen changesets."""
    from syncengine.api import plan
    from syncengine.cli.progress import Progress
    from syncengine.cli.views import LiveView, show_plan, view_options

    accept = _expecting(options)
    project, loaded = options.load(invocation)
    format_, out = options.format_, options.out
    live = None
    if format_ in LiveView.formats:
        account = loaded.changesets[0].account if loaded.changesets else ""
        live = LiveView(format_, view_options(invocation, project.settings, account, show_values=options.show_values))
    with ExitStack() as stack:
        target = out
        if target is None:
            target = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="syncengine-"))) / "plan"
        with Progress(invocation.output, "planning", 0, pace=True) as progress:
            planned = plan(
                loaded,
                project,
                out=target,
                offline=options.offline,
                observed=options.observed,
                observed_at=options.observed_at,
                watchers=[_Counting(progress), *([] if live is None else [live])],
                seal=options.seal,
                selection=options.selection,
                accept=accept,
            )
        _log(invocation, planned)
        if live is not None:
            live.show(invocation, planned, project, saved=target, out=out, identities=options.identities)
        else:
            show_plan(
                invocation,
                target,
                project,
                format_=format_,
                show_values=options.show_values,
                identities=options.identities,
                planned=planned,
            )
    _tell_where(invocation, planned, project, out)
    summary = planned.summary
    return options.exit_code(blocked=bool(summary.blocked), to_send=summary.counts.to_send)


def _expecting(options: _Options) -> Callable[[Path, PlanSummary, Ledger | None], None] | None:
    """The check of the new plan against the expected digest; None where none is expected."""
    if options.expect is None:
        return None
    from syncengine.expected_plans import ExpectedPlan
    from syncengine.planning.expectation import expected_digest

    saved = options.out if options.out is not None and options.out.is_file() else None
    return ExpectedPlan(expected_digest(options.expect), saved, options.identities).check


def _tell_where(invocation: Invocation, planned: Planned, project: Project, out: Path | None) -> None:
    from syncengine.api import needed_approvals

    if out is None:
        return
    if planned.summary.blocked:
        invocation.output.note(f"saved to {out}, to be looked at: it is blocked, and apply refuses it")
        return
    rule = needed_approvals(planned, project) if planned.summary.counts.to_send else None
    if planned.progress.run is not None:
        invocation.output.note("it is the interrupted plan: approvals of it stay valid, and apply goes on with it")
    elif rule is not None:
        people = f"{rule.required} approval{'s' if rule.required > 1 else ''}"
        invocation.output.note(f"it needs {people} before it is applied: syncengine approve {out} --key KEY")
    invocation.output.note(f"saved to {out}; apply it with: syncengine apply {out}")


def _plan_each(invocation: Invocation, options: _Options, each: Path) -> int:
    """One plan for each chosen changeset."""
    from syncengine.api import plan
    from syncengine.cli.plan_each import EachViews
    from syncengine.cli.progress import Progress
    from syncengine.core.errors import InputError
    from syncengine.plan_each import emptied, expected_before, plan_each

    if options.out is not None or options.selection.partial:
        other = "--out" if options.out is not None else "--lead, --change or --limit"
        raise InputError(
            f"--each cannot be combined with {other}",
            code="SE901",
            hint="--changeset ID chooses changesets; plan a part of one without --each",
        )
    with ExitStack() as stack:
        expected = None if options.expect is None else expected_before(each, Path(options.expect))
        folder = stack.enter_context(emptied(each))
        project, loaded = options.load(invocation)
        views = stack.enter_context(
            EachViews(
                invocation,
                project,
                folder,
                format_=options.format_,
                show_values=options.show_values,
                identities=options.identities,
            )
        )
        with Progress(invocation.output, "planning", 0, pace=True) as progress:
            counting = _Counting(progress)

            def make(
                alone: Loaded,
                path: Path,
                selection: Selection,
                unsent: UnsentOperations | None,
                inputs: PlanningInputs,
            ) -> Planned:
                planned = plan(
                    alone,
                    project,
                    out=path,
                    offline=options.offline,
                    watchers=[counting],
                    seal=options.seal,
                    selection=selection,
                    unsent=unsent,
                    inputs=inputs,
                )
                _log(invocation, planned)
                return planned

            content = plan_each(
                loaded,
                project,
                folder,
                make=make,
                variables=options.selection.variables,
                offline=options.offline,
                observed=options.observed,
                observed_at=options.observed_at,
                shown=views.add,
                expected=expected,
                identities=options.identities,
            )
        code = options.exit_code(blocked=views.blocked > 0, to_send=views.to_send)
        views.show(content, code)
    _tell_folder(invocation, each, count=len(content.plans), blocked=views.blocked)
    return code


def _tell_folder(invocation: Invocation, folder: Path, *, count: int, blocked: int) -> None:
    if not count:
        return
    if blocked:
        refused = f"{blocked} of {count} blocked" if count > 1 else "it is blocked"
        invocation.output.note(f"saved to {folder}: {refused}; apply refuses those, and sends the others")
    plans = "1 plan" if count == 1 else f"{count} plans"
    invocation.output.note(f"{plans} in {folder}; apply with: syncengine apply {folder}")


def _log(invocation: Invocation, planned: Planned) -> None:
    summary = planned.summary
    invocation.log.info(
        "planned", plan=summary.digest, account=planned.header.account,
        changesets=[changeset.id for changeset in summary.changesets], count=summary.counts.total,
    )  # fmt: skip


def _project(invocation: Invocation, paths: tuple[Path, ...], *, offline: bool) -> Project:
    project = invocation.project(paths)
    if project.through is not None and not offline:
        file = project.settings.file
        invocation.output.note(
            f"{file} was found through {project.through} only: planned as with --offline. To look at the service, "
            f"or at a ledger on a server, name it: --config {shlex.quote(file)}"
        )
    return project


def _seal(values: str, recipients: tuple[str, ...], out: Path | None) -> Seal | None:
    """Those who may read the plan; None where it is not sealed."""
    from syncengine.core.errors import InputError

    if values == "plain":
        if recipients:
            raise InputError(
                "--recipient is for sealed plans, and this one would be plain", code="SE901", hint="add --values sealed"
            )
        return None
    if out is None:
        raise InputError(
            "a sealed plan is a file, and none is named", code="SE901", hint="add --out FILE or --each DIR"
        )
    from syncengine.planning import Seal

    return Seal.to(recipients)
