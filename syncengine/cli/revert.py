"""`syncengine revert`: a changeset that sets back what a plan changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncengine.cli.command import Command, Invocation, format_option, identity_option
from syncengine.core.errors import Exit, InputError

if TYPE_CHECKING:
    from syncengine.documents.disk_spool import DiskSpool
    from syncengine.planning.revert import NotReverted, Turned

_SHOWN = 20
"""Lines of one reason in the text view."""


@click.command(
    cls=Command,
    examples=(
        "syncengine revert release.plan --out changesets/revert.yaml",
        "syncengine plan changesets/revert.yaml --out revert.plan",
    ),
)
@click.argument("plan", metavar="PLAN", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="Changeset file to write.")
@identity_option
@format_option("text", "json")
@click.pass_obj
def command(invocation: Invocation, *, plan: Path, out: Path, format_: str) -> int:
    """Write a changeset that restores the known earlier values of fields that PLAN changed and no later run wrote.

    Other changes are listed with the reason. Nothing is sent. FILE contains lead values as plain text.
    """
    from syncengine.cli.editor_schema import changeset_schema
    from syncengine.documents.disk_spool import DiskSpool
    from syncengine.planning import open_plan
    from syncengine.planning.revert import NotReverted, revert_id, reverting_changeset, turn_round

    if out.exists() or out.is_symlink():
        raise InputError(f"{out} exists already", code="SE901", hint="name a file that does not, or remove it first")
    project = invocation.project()
    with (
        open_plan(plan, invocation.identities()) as saved,
        project.view() as ledger,
        DiskSpool(NotReverted) as kept,
    ):
        account = project.account(saved.header.account)
        if ledger is None:
            raise InputError(
                f"there is no ledger at {project.settings.ledger.place}, so it is not known what the plan applied",
                code="SE904",
                hint="revert where the plan was applied",
            )
        identity, digest = saved.header.identity, saved.summary.digest
        name = revert_id((changeset.id for changeset in saved.summary.changesets), digest)
        account_view = ledger
        result = _Result(name, kept)
        turned = turn_round(
            saved.operations(),
            lambda leads: account_view.histories(identity, leads),
            digest=digest,
            account=account,
            allow_negative=project.settings.policy.allow_negative,
        )
        schema = changeset_schema(Path(project.settings.root), out)
        head = f"# yaml-language-server: $schema={schema}\n" if schema else ""
        _write(out, head, reverting_changeset(name, account.name, digest, result.counted(turned)), result)
        _show(invocation, result, out, format_)
    return Exit.DONE


class _NothingRestored(Exception):
    """No value can be set back, so that there is no file to write."""


def _write(out: Path, head: str, pieces: Iterator[str], result: _Result) -> None:
    """Write the changeset as it comes: a plan may hold a million operations."""
    from syncengine.documents.result_files import result_file

    with suppress(_NothingRestored), result_file(out, private=True) as file:
        file.write(head.encode())
        for piece in pieces:
            file.write(piece.encode())
        if not result.values:
            raise _NothingRestored


class _Result:
    """`kept` holds what is not set back; there may be much of it."""

    def __init__(self, changeset: str, kept: DiskSpool[NotReverted]) -> None:
        self.changeset = changeset
        self.operations = 0
        self.values = 0
        self.kept = kept
        self.kept_count = 0

    def counted(self, turned: Iterable[Turned]) -> Iterator[Turned]:
        from syncengine.planning.revert import NotReverted

        for one in turned:
            if isinstance(one, NotReverted):
                self.kept.put(one)
                self.kept_count += 1
            else:
                self.operations += 1
                self.values += len(one.values)
            yield one


def _show(invocation: Invocation, result: _Result, out: Path, format_: str) -> None:
    written = str(out) if result.values else None
    if format_ == "json":
        _show_json(invocation, result, written)
        return
    output = invocation.output
    if written is None:
        output.result("There is nothing that can be set back; no file was written.")
    else:
        from syncengine.reports.vocabulary import plural

        what = f"{plural(result.values, 'value')} of {plural(result.operations, 'operation')}"
        output.result(f"{out}: changeset {result.changeset} sets back {what}.")
    _show_kept(invocation, result)
    if written is not None:
        output.note(f"it holds lead values; review it, then: syncengine plan {out}")


def _show_kept(invocation: Invocation, result: _Result) -> None:
    from syncengine.planning.revert import kept_words

    if not result.kept_count:
        return
    invocation.output.result(f"\nNot set back ({result.kept_count}):")
    shown: Counter[str] = Counter()
    for kept in result.kept.read():
        shown[kept.reason] += 1
        if shown[kept.reason] <= _SHOWN:
            invocation.output.result(f"  {kept_words(kept)}")
    for reason, count in shown.items():
        if count > _SHOWN:
            invocation.output.result(f"  ... and {count - _SHOWN} more: {reason}")


def _show_json(invocation: Invocation, result: _Result, written: str | None) -> None:
    from syncengine.cli.views import gathered

    for piece in gathered(_json(result, written)):
        invocation.output.piece(piece, "json")


def _json(result: _Result, written: str | None) -> Iterator[str]:
    """One document, piece by piece."""
    import json

    from syncengine.core.operations import kind_of

    head: dict[str, Any] = {
        "changeset": result.changeset,
        "file": written,
        "operations": result.operations,
        "values": result.values,
        "not_reverted": [],
    }
    yield json.dumps(head)[: -len("]}")]
    comma = ""
    for kept in result.kept.read():
        line = {
            "operation": kept.planned.id,
            "lead": kept.planned.operation.lead,
            "kind": kind_of(kept.planned.operation).value,
            "name": kept.name or None,
            "reason": kept.reason,
        }
        yield comma + json.dumps(line)
        comma = ", "
    yield "]}\n"
