"""`syncengine approve`: sign a saved plan, so that apply may send it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncengine.cli.command import Command, Invocation, format_option, identity_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncengine.core.finding import Finding
    from syncengine.planning import PlanFile
    from syncengine.planning.approvals import Approvals

_TOLD = 12
"""Findings that are named before a plan is signed; more are counted."""


@click.command(
    cls=Command,
    examples=(
        "syncengine show release.plan",
        "syncengine approve release.plan --key ~/.ssh/id_ed25519",
    ),
    epilog="Exit codes: 0 signed; 1 the key cannot be used; 3 the plan is altered or blocked.",
)
@click.argument("plan", metavar="PLAN", type=click.Path(path_type=Path))
@click.option("--key", required=True, type=click.Path(path_type=Path), metavar="FILE",
              help="Your private SSH key, or the public key (.pub) of one that ssh-agent holds.")  # fmt: skip
@identity_option
@format_option("text", "json")
@click.pass_obj
def command(invocation: Invocation, *, plan: Path, key: Path, format_: str) -> None:
    """Sign a saved plan with your SSH key. The signature is added to PLAN.approval, where apply finds it.

    The signature covers the plan's digest. It is valid for this plan only, and not after any change to it.
    """
    from syncengine.planning import open_plan

    with open_plan(plan, invocation.identities()) as saved:
        refuse_blocked(saved)
        for line in _summary(saved, _findings(invocation, saved)):
            invocation.output.text_line(line)
        sign(invocation, saved, key, format_)


def refuse_blocked(saved: PlanFile) -> None:
    """Raise PlanBlocked where a plan can never be applied, so that nobody need sign it."""
    from syncengine.core.errors import PlanBlocked

    if saved.summary.blocked:
        raise PlanBlocked(
            f"the plan is blocked and can never be applied: {saved.summary.blocked[0].reason}",
            hint="'syncengine show' lists what blocks it; fix it and plan again",
        )


def sign(invocation: Invocation, saved: PlanFile, key: Path, format_: str = "text") -> None:
    """Add the signature of `key` to PLAN.approval, and say whether it counts."""
    from syncengine.planning.approvals import NAMESPACE, Keygen, add_approval, approval_path, signed_text

    keygen = Keygen(invocation.environ)
    armoured = keygen.sign(signed_text(saved.summary.digest), key=key.expanduser(), namespace=NAMESPACE)
    signature = _signature(armoured, key)
    invocation.log.info("approved", plan=saved.summary.digest, account=saved.header.account)
    target = approval_path(saved.path)
    added = add_approval(target, armoured)
    approvals = _standing(invocation, saved)
    counts = approvals is None or any(each.fingerprint == signature for each in approvals.counted)
    if format_ == "json":
        invocation.output.json(
            {"plan": saved.summary.digest, "approval": str(target), "key": signature, "added": added, "counts": counts}
        )
    else:
        invocation.output.result(f"{'approved' if added else 'already approved'} with key {signature}: {target}")
    _tell(invocation, approvals, str(target))


def _signature(armoured: str, key: Path) -> str:
    """The fingerprint of the key that signed; raises InputError where it can never approve."""
    from syncengine.core.errors import InputError
    from syncengine.planning.approvals.sshsig import signatures_in

    found, _ = signatures_in(armoured)
    weakness = found[0].weakness() if found else "ssh-keygen made no signature"
    if weakness:
        raise InputError(
            f"cannot approve with {key}: {weakness}", code="SE905", hint="'ssh-keygen -t ed25519' makes a key that can"
        )
    return found[0].fingerprint


def _findings(invocation: Invocation, saved: PlanFile) -> tuple[Finding, ...]:
    """What a reviewer should know, worked out from the plan's lines."""
    from syncengine.cli.views import reviewed
    from syncengine.core.errors import ConfigError

    settings = None
    try:
        settings = invocation.project().settings
    except ConfigError:
        if invocation.config is not None or invocation.policy is not None:
            raise
    return reviewed(saved, settings).findings


def _summary(saved: PlanFile, findings: Sequence[Finding]) -> list[str]:
    """What is being approved, in a few lines."""
    from syncengine.core.operations import SPECS
    from syncengine.core.values import format_money
    from syncengine.reports.findings import finding_line
    from syncengine.reports.vocabulary import plural

    counts = saved.summary.counts
    kinds = [f"{number:,} {kind}" for kind in SPECS if (number := counts.of(kind))]
    lines = [
        f"Plan {saved.summary.digest}",
        f"  account {saved.header.account} on {saved.header.host}: "
        f"{', '.join(changeset.id for changeset in saved.summary.changesets)}",
        f"  {plural(counts.to_send, 'operation')} on {plural(counts.leads, 'lead')}: "
        f"{', '.join(kinds) or 'nothing to send'}",
    ]
    if counts.irreversible:
        lines.append(f"  !! {counts.irreversible:,} irreversible")
    if counts.financials:
        lines.append(f"  money: payout {format_money(counts.payout)}, revenue {format_money(counts.revenue)}")
    told = [finding for finding in findings if finding.severity != "info"]
    if told:
        lines.append(f"  !  {plural(len(told), 'thing')} to look at: syncengine show {saved.path}")
        lines += [f"     {finding_line(finding)}" for finding in told[:_TOLD]]
    return lines


def _standing(invocation: Invocation, saved: PlanFile) -> Approvals | None:
    """How the plan's approvals stand by the policy at hand; None where there is none, or it asks for no approval."""
    from syncengine.api import approval_request
    from syncengine.core.errors import ConfigError
    from syncengine.planning.approvals import would_count

    try:
        project = invocation.project()
        return would_count(approval_request(saved, project))
    except ConfigError:
        if invocation.config is not None or invocation.policy is not None:
            raise
        return None  # A plan can be approved anywhere; whether the signer may is judged where it is applied.


def _tell(invocation: Invocation, approvals: Approvals | None, target: str) -> None:
    if approvals is None:
        return
    people = ", ".join(approval.principals[0] for approval in approvals.counted) or "nobody yet"
    invocation.output.note(f"approved by: {people}")
    for finding in approvals.findings:
        invocation.output.warning(f"not counted: {finding.file}, {finding.message}; {finding.hint}")
    invocation.output.note(f"commit or hand over {target} together with the plan")
