"""`syncengine apply`: send what a plan lists, once, and record every answer."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from syncengine.cli.command import Command, Invocation, format_option, identity_option
from syncengine.core.errors import Exit, InputError, PlanBlocked

if TYPE_CHECKING:
    from syncengine.api import Planned
    from syncengine.project import Project

_CHANGESETS = frozenset({".yaml", ".yml"})


@click.command(
    cls=Command,
    examples=(
        "syncengine apply release.plan",
        "syncengine apply release.plan --junit apply.xml --deadline 2700 --log-format json 2> apply.log",
        "syncengine apply plans             # the plans of `plan --each plans`",
    ),
    epilog="Exit codes: 0 done; 1 wrong input; 3 refused, nothing was sent; 4 incomplete; 5 in doubt; 6 plans of DIR "
    "wait for approvals, everything else is done; 130 interrupted. After an interruption, apply the same plan or DIR "
    "again to continue.",
)
@click.argument("paths", nargs=-1, required=True, metavar="PLAN | DIR | PATH...", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Apply changesets without confirmation; required without a terminal.")
@click.option(
    "--var", "variables", multiple=True, metavar="NAME=VALUE", help="For changesets: override a variable; repeatable."
)
@click.option("--changeset", "only", multiple=True, metavar="ID", help="For changesets: only this one; repeatable.")
@click.option("--approval", "approvals", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="Further approvals, in addition to PLAN.approval; repeatable.")  # fmt: skip
@click.option("--claimed-approval", "claimed", metavar="TEXT",
              help="What CI says about who approved: recorded with the run, never counted.")  # fmt: skip
@click.option("--deadline", type=click.FloatRange(min=0), metavar="SECONDS", help="Send no new request after that.")
@click.option("--lock-timeout", type=click.FloatRange(min=0), default=0, metavar="SECONDS", show_default=True,
              help="Time to wait for another run on the same account to end.")  # fmt: skip
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Also write the result as JUnit XML.")
@click.option("--rejects", type=click.Path(path_type=Path), metavar="FILE",
              help="Also write the source rows that were rejected or not sent, as `rejects` does.")  # fmt: skip
@identity_option
@format_option("text", "json")
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    paths: tuple[Path, ...],
    yes: bool,
    variables: tuple[str, ...],
    only: tuple[str, ...],
    approvals: tuple[Path, ...],
    claimed: str | None,
    deadline: float | None,
    lock_timeout: float,
    junit: Path | None,
    rejects: Path | None,
    format_: str,
) -> int:
    """Send the operations of a saved PLAN that were not sent yet, and record every answer.

    With a folder of plans, which `plan --each DIR` wrote: apply exactly the plans that DIR/plans.json lists, in the
    order of their changesets. A plan without the approvals that it needs waits; one that is blocked, stale or refused
    is left out; the others are sent.

    With changesets instead of a plan: plan them, show the plan, ask for confirmation, then apply.
    """
    from syncengine.cli.apply_run import ApplyOptions, run_plan

    project = invocation.project(paths)
    project.require_named("apply")
    options = ApplyOptions(
        approvals=approvals,
        claimed=claimed,
        deadline=deadline,
        lock_timeout=lock_timeout,
        junit=junit,
        rejects=rejects,
        format=format_,
    )
    target = _target(paths)
    if target != "changesets":
        _refuse_choices(variables, only)
    if target == "plan":
        return run_plan(invocation, project, paths[0], options)
    if target == "folder of plans":
        from syncengine.cli.apply_directory import run_directory

        return run_directory(invocation, project, paths[0], options)
    if approvals:
        raise InputError(
            "--approval is for a saved plan; one that is only made now cannot have been approved",
            code="SE901",
            hint="save a plan with 'syncengine plan --out', have it approved and apply that",
        )
    with tempfile.TemporaryDirectory(prefix="syncengine-") as scratch:
        made = Path(scratch) / "plan"
        if not _plan_and_ask(invocation, project, paths, made, variables=variables, only=only, yes=yes):
            return Exit.DONE
        return run_plan(invocation, project, made, options)


def _refuse_choices(variables: Sequence[str], only: Sequence[str]) -> None:
    if variables or only:
        raise InputError(
            "--var and --changeset are for changesets; what is saved is applied as it is",
            code="SE901",
            hint="leave them out, or plan again with them: 'syncengine plan' takes both, with --each too",
        )


_Target = Literal["plan", "folder of plans", "changesets"]


def _target(paths: Sequence[Path]) -> _Target:
    """What the paths name. Raises InputError where it is unclear, or where saved plans are named with other paths."""
    if len(paths) == 1:
        return _target_of(paths[0])
    for path in paths:
        target = _target_of(path)
        if target != "changesets" and path.exists():
            raise InputError(
                f"a {target} is applied alone",
                code="SE901",
                hint=f"'syncengine apply {path}', or name only changesets (*.yaml, *.yml or folders of them)",
            )
    return "changesets"


def _target_of(path: Path) -> _Target:
    """What one path names. A folder without plans.json is one of changesets where it holds any."""
    if path.is_dir():
        return "folder of plans" if _is_folder_of_plans(path) else "changesets"
    return "changesets" if path.suffix.lower() in _CHANGESETS else "plan"


def _is_folder_of_plans(folder: Path) -> bool:
    from syncengine.documents.search import may_hold_changesets
    from syncengine.planning.plans_file import NAME

    listed, changesets = os.path.lexists(folder / NAME), may_hold_changesets(folder)
    if listed and changesets:
        raise InputError(
            f"{folder} holds {NAME} and changesets, so it is not clear which of them is to be applied",
            code="SE155",
            hint="name the changesets' files, or let 'syncengine plan --each' write into a folder of plans alone",
        )
    return listed or not changesets


def _require_no_approval(planned: Planned, project: Project) -> None:
    """Raise NotApproved where an approval rule applies: a plan that was only made now cannot have been approved."""
    from syncengine.api import needed_approvals
    from syncengine.core.errors import NotApproved

    rule = needed_approvals(planned, project)
    if rule is not None:
        raise NotApproved(
            f"the policy asks for {rule.required} approval{'s' if rule.required > 1 else ''} of this plan",
            hint="save it with 'syncengine plan --out release.plan', have it approved with 'syncengine approve "
            "release.plan --key KEY', then apply release.plan",
        )


def _plan_and_ask(
    invocation: Invocation,
    project: Project,
    paths: tuple[Path, ...],
    target: Path,
    *,
    variables: tuple[str, ...],
    only: tuple[str, ...],
    yes: bool,
) -> bool:
    """Whether to go on: plans into `target`, shows the plan on stderr's terminal, and asks."""
    from syncengine.api import load, plan
    from syncengine.cli.variables import parse_variables
    from syncengine.cli.views import view_options
    from syncengine.planning import open_plan
    from syncengine.reports.text import plan_text

    if not yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise InputError(
            "there is no one to ask whether to apply these changesets",
            code="SE901",
            hint="save a plan with 'syncengine plan --out', have it reviewed and apply that; or pass --yes",
        )
    planned = plan(
        load(paths, project, command="apply", variables=parse_variables(variables), only=only), project, out=target
    )
    with open_plan(target) as saved:
        options = view_options(invocation, project.settings, saved.header.account, show_values=False)
        if invocation.output.log_format == "text":  # A log holds no values, not even masked ones.
            for line in plan_text(saved.header, saved.provenance, saved.operations(), planned.summary, options):
                invocation.output.text_line(line)
    if planned.summary.blocked:
        raise PlanBlocked(
            f"the plan is blocked: {planned.summary.blocked[0].reason}",
            hint="fix the changeset or the policy, then try again",
        )
    if planned.summary.counts.to_send:
        _require_no_approval(planned, project)
    if yes or not planned.summary.counts.to_send:
        return True
    return click.confirm("Send this now?", default=False, err=True)
