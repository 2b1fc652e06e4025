"""`syncengine review`: the findings of a plan one by one with their evidence, its summary, and the question to sign."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncengine.cli.command import Command, Invocation, identity_option

if TYPE_CHECKING:
    from syncengine.core.finding import Evidence
    from syncengine.planning import PlanFile
    from syncengine.reports.layout import Page
    from syncengine.reports.model import FindingView, PlanView, ViewOptions


@click.command(
    cls=Command,
    examples=(
        "syncengine review release.plan",
        "syncengine review release.plan --key ~/.ssh/id_ed25519      # asks whether to sign at the end",
    ),
    epilog="Exit codes: 0 reviewed, signed or not; 1 no terminal, or the key cannot be used; 3 the plan is altered, or "
    "the signature would not count.",
)
@click.argument("plan", metavar="PLAN", type=click.Path(path_type=Path))
@click.option("--key", type=click.Path(path_type=Path), metavar="FILE",
              help="Private SSH key to sign with, or the public key (.pub) of one that ssh-agent holds.")  # fmt: skip
@click.option("--show-values", is_flag=True, help="Show personal values instead of masks.")
@identity_option
@click.pass_obj
def command(invocation: Invocation, *, plan: Path, key: Path | None, show_values: bool) -> None:
    """Show the findings of a plan one by one with their evidence, then its summary, and optionally sign it.

    The command is interactive; `show` and `approve` are not. The plan is signed only if you answer yes.
    """
    from syncengine.cli.approve import sign
    from syncengine.core.errors import InputError
    from syncengine.planning import open_plan
    from syncengine.reports.layout import Page
    from syncengine.reports.text_summary import summary_lines

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError(
            "review asks questions, and this is no terminal",
            code="SE132",
            hint=f"syncengine show {plan} shows the findings, syncengine approve {plan} --key KEY signs",
        )
    with open_plan(plan, invocation.identities()) as saved:
        view, options = _view(invocation, saved, show_values=show_values)
        page = Page(options.columns, colour=options.colour)
        if not _walk(invocation, page, view):
            invocation.output.note("not reviewed to the end; nothing was signed")
            return
        _tell(invocation, summary_lines(page, view))
        invocation.output.result(f"\n{view.headline}")
        if view.rules:
            invocation.output.note("the plan is blocked: it can be neither signed nor applied")
        elif key is None:
            invocation.output.note(f"to sign it: syncengine approve {plan} --key KEY")
        elif _ask(f"Sign plan {saved.summary.digest[:12]} with {key}? [y/N] ").lower() in ("y", "yes"):
            sign(invocation, saved, key)
        else:
            invocation.output.note("not signed")


def _view(invocation: Invocation, saved: PlanFile, *, show_values: bool) -> tuple[PlanView, ViewOptions]:
    import msgspec

    from syncengine.cli.progress_so_far import progress_so_far
    from syncengine.cli.views import review_options, reviewed, view_options
    from syncengine.core.errors import ConfigError
    from syncengine.reports.model import Fold

    project = None
    try:
        project = invocation.project()
    except ConfigError:
        if invocation.config is not None:
            raise
    settings = None if project is None else project.settings
    summary = reviewed(saved, settings)
    options = view_options(invocation, settings, saved.header.account, show_values=show_values)
    options = review_options(options, project, saved.header, summary, saved.path)
    options = msgspec.structs.replace(options, progress=progress_so_far(project, saved))
    folding = Fold(options, keep=0)
    for planned in saved.operations():
        folding.add(planned)
    return folding.view(saved.header, saved.provenance, summary), options


def _walk(invocation: Invocation, page: Page, view: PlanView) -> bool:
    """Show one finding after the other; whether the person went to the end."""
    told = [each for each in view.findings if each.severity != "info"]
    invocation.output.result(f"{view.headline}\n")
    for number, each in enumerate(told, 1):
        _tell(invocation, _finding_lines(page, view, each, f"{number} of {len(told)}"))
        answer = _ask("[Enter] next, [s] to the summary, [q] quit: ").lower()
        if answer.startswith("q"):
            return False
        if answer.startswith("s"):
            break
        invocation.output.result("")
    return True


def _finding_lines(page: Page, view: PlanView, each: FindingView, position: str) -> Iterator[str]:
    from syncengine.reports.layout import Piece
    from syncengine.reports.vocabulary import number

    finding = each.finding
    yield from page.line(
        Piece(f"{each.severity} {finding.rule}", "alarm" if each.severity == "high" else "warn"), f"  {position}"
    )
    yield from page.line(each.message, indent=2)
    for evidence in finding.evidence:
        yield from _evidence_lines(page, view, evidence)
    left = finding.count - len(finding.evidence)
    if finding.evidence and left > 0:
        yield from page.line(Piece(f"… and {number(left)} more", "dim"), indent=4)


def _evidence_lines(page: Page, view: PlanView, evidence: Evidence) -> Iterator[str]:
    from syncengine.core.redaction import visible
    from syncengine.reports.findings import shown_value
    from syncengine.reports.layout import Piece

    field = evidence.field or ""
    before, after = (
        _value(shown_value(field, value, view.masker), field, view) for value in (evidence.before, evidence.after)
    )
    moved = f"  {visible(field)} {before or 'unknown'} → {after or '?'}" if field else ""
    lead = f"lead {visible(evidence.lead)}" if evidence.lead else ""
    place = view.places.of_evidence(evidence)
    yield from page.line(Piece(lead, "key"), moved, Piece(f"  {place.text}", "dim"), indent=4, hang=2)


def _value(value: str | None, field: str, view: PlanView) -> str:
    from syncengine.core.redaction import visible
    from syncengine.reports.facts import with_name

    if value is None:
        return ""
    return with_name(field, value, view.names) if field in ("buyer", "delivery") else visible(value)


def _tell(invocation: Invocation, lines: Iterator[str]) -> None:
    for line in lines:
        invocation.output.result(line)


def _ask(question: str) -> str:
    """An answer; the end of the input is as good as `q`."""
    sys.stdout.write(question)
    sys.stdout.flush()
    line = sys.stdin.readline()
    return line.strip() if line else "q"
