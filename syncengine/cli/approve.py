"""`syncengine approve`: sign a saved plan, so that apply may send it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncengine.cli.command import Command, Invocation, format_option, identity_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncengine.core.finding import Finding
    from syncengine.planning import PlanFile
    from syncengine.planning.approvals import ApprovalRequest, Approvals

_TOLD = 12
"""Findings that are named before a plan is signed; more are counted."""


@click.command(
    cls=Command,
    examples=(
        "syncengine show release.plan",
        "syncengine approve release.plan --key ~/.ssh/id_ed25519",
        "syncengine approve release.plan --key ~/.ssh/id_ed25519 --in-repository    # to be committed",
    ),
    epilog="Exit codes: 0 signed; 1 the key cannot be used; 3 nothing was signed: the plan is altered or blocked, or "
    "the key is an author's, is not listed, or no signers are configured.",
)
@click.argument("plan", metavar="PLAN", type=click.Path(path_type=Path))
@click.option("--key", required=True, type=click.Path(path_type=Path), metavar="FILE",
              help="Your private SSH key, or the public key (.pub) of one that ssh-agent holds.")  # fmt: skip
@click.option("--in-repository", is_flag=True,
              help="Add it to approvals/DIGEST.approval in the repository instead of PLAN.approval.")  # fmt: skip
@identity_option
@format_option("text", "json")
@click.pass_obj
def command(invocation: Invocation, *, plan: Path, key: Path, in_repository: bool, format_: str) -> None:
    """Sign a saved plan with your SSH key. The signature is added to PLAN.approval, where apply finds it.

    The signature covers the plan's digest. It is valid for this plan only, and not after any change to it. Nothing is
    signed where the signature would not count: an author's, that of a key that is not listed, or without a policy that
    names signers. Where git cannot tell who the authors are, as in a shallow clone, it is signed with a warning.
    """
    from syncengine.planning import open_plan

    with open_plan(plan, invocation.identities()) as saved:
        refuse_blocked(saved)
        for line in _summary(saved, _findings(invocation, saved)):
            invocation.output.text_line(line)
        sign(invocation, saved, key, format_, in_repository=in_repository)


def refuse_blocked(saved: PlanFile) -> None:
    """Raise PlanBlocked where a plan can never be applied, so that it is not signed."""
    from syncengine.core.errors import PlanBlocked

    if saved.summary.blocked:
        raise PlanBlocked(
            f"the plan is blocked and can never be applied: {saved.summary.blocked[0].reason}",
            hint="'syncengine show' lists what blocks it; fix it and plan again",
        )


def sign(
    invocation: Invocation, saved: PlanFile, key: Path, format_: str = "text", *, in_repository: bool = False
) -> None:
    """Add the signature of `key` to PLAN.approval, or to the repository's file for this plan. Raises NotApproved,
    before anything is written, where it would not count."""
    from syncengine.planning.approvals import (
        NAMESPACE,
        Keygen,
        add_approval,
        approval_path,
        repository_path,
        require_signer,
        signed_text,
        would_count,
    )

    request = _requirements(invocation, saved)
    keygen = Keygen(invocation.environ)
    armoured = keygen.sign(signed_text(saved.summary.digest), key=key.expanduser(), namespace=NAMESPACE)
    signature = _signature(armoured, key)
    require_signer(request, armoured)
    invocation.log.info("approved", plan=saved.summary.digest, account=saved.header.account)
    target = approval_path(saved.path)
    if in_repository:
        target = Path(os.path.relpath(repository_path(request.root, saved.summary.digest), invocation.cwd))
    added = add_approval(target, armoured)
    approvals = would_count(request)
    if format_ == "json":
        counts = approvals is None or bool(approvals.counted)
        invocation.output.json(
            {"plan": saved.summary.digest, "approval": str(target), "key": signature, "added": added, "counts": counts}
        )
    else:
        invocation.output.result(f"{'approved' if added else 'already approved'} with key {signature}: {target}")
    _tell(invocation, approvals, target, digest=saved.summary.digest, in_repository=in_repository)


def _requirements(invocation: Invocation, saved: PlanFile) -> ApprovalRequest:
    """What the configuration at hand asks of an approval. Raises NotApproved where there is no configuration."""
    from syncengine.api import approval_request
    from syncengine.core.errors import ConfigError
    from syncengine.planning.approvals import no_signers

    try:
        project = invocation.project()
    except ConfigError as error:
        named = invocation.config is not None or invocation.policy is not None
        if named or error.problems or error.code != ConfigError.code:
            raise
        raise no_signers(error.message) from error
    return approval_request(saved, project)


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


def _tell(
    invocation: Invocation, approvals: Approvals | None, target: Path, *, digest: str, in_repository: bool
) -> None:
    if approvals is None:
        invocation.output.note("the policy asks for no approval of this plan")
        return
    people = ", ".join(approval.principals[0] for approval in approvals.counted)
    invocation.output.note(f"approved by: {people or 'none that counts here'}")
    for finding in approvals.findings:
        invocation.output.warning(f"not counted: {finding.file}, {finding.message}; {finding.hint}")
    if in_repository:
        invocation.output.note(f"commit {target}: apply reads it unasked")
    else:
        place = f"approvals/{digest}.approval"
        invocation.output.note(f"hand over {target} together with the plan, or commit it as {place}")
