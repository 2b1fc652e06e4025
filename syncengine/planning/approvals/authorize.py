"""Authorisation of apply: enough people approved exactly this plan, and none of them is an author."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from syncengine.core.errors import NotApproved, Problem, TooFewApprovals
from syncengine.core.plan import PlanSummary
from syncengine.core.settings import Account, ApprovalRule, Policy
from syncengine.planning.approvals.verify import ApprovalCheck, Approvals, look_at_approvals
from syncengine.planning.authors import Authors, GitCannotTell
from syncengine.planning.policy import approval_rule


class ApprovalRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A verified plan, its approval files besides PLAN.approval, and the environment for git and ssh-keygen.

    `root` is the repository that the changesets' paths are relative to; `now` is UTC, ISO 8601.
    """

    summary: PlanSummary
    plan: Path
    files: Sequence[Path]
    account: Account
    policy: Policy
    root: Path
    environ: Mapping[str, str]
    now: str

    @property
    def rule(self) -> ApprovalRule | None:
        """The rule by which the plan needs approvals; None where it needs none."""
        changesets = tuple(changeset.id for changeset in self.summary.changesets)
        return approval_rule(self.policy, self.summary.counts, self.account, changesets)


def authorize(approval_request: ApprovalRequest, note: Callable[[str], None]) -> tuple[str, ...]:
    """The approvals that counted, each as "principal SHA256:fingerprint". Raises TooFewApprovals where they do
    not suffice, NotApproved where that cannot be decided."""
    rule = approval_request.rule
    if rule is None:
        return ()
    authors = _authors(approval_request, rule)
    approvals = _look(approval_request, rule, authors)
    if len(approvals.counted) < rule.required:
        raise _too_few(approval_request, rule, approvals)
    for finding in approvals.findings:
        note(f"not counted: {finding.file}, {finding.message}")
    return tuple(str(approval) for approval in approvals.counted)


def would_count(approval_request: ApprovalRequest) -> Approvals | None:
    """The approvals so far, checked without git. None where none are needed."""
    rule = approval_request.rule
    if rule is None:
        return None
    planned = {email.lower() for changeset in approval_request.summary.changesets for email in changeset.authors}
    return _look(approval_request, rule, frozenset(planned))


def _look(approval_request: ApprovalRequest, rule: ApprovalRule, authors: frozenset[str]) -> Approvals:
    question = ApprovalCheck(
        digest=approval_request.summary.digest,
        plan=approval_request.plan,
        files=tuple(approval_request.files),
        rule=rule,
        authors=authors,
        now=approval_request.now,
    )
    return look_at_approvals(question, approval_request.environ)


def _authors(approval_request: ApprovalRequest, rule: ApprovalRule) -> frozenset[str]:
    """Everyone who wrote a changeset, as git reported when planning and as it reports now."""
    if rule.author_may_approve:
        return frozenset()
    git = Authors(approval_request.root, approval_request.environ)
    found: set[str] = set()
    for changeset in approval_request.summary.changesets:
        found.update(email.lower() for email in changeset.authors)
        try:
            found.update(git.of(changeset.file))
        except GitCannotTell as error:
            raise NotApproved(
                f"git cannot tell who wrote changeset {changeset.id}, so nobody knows who may approve it: "
                f"{error.reason}",
                code="SE639",
                hint=f"{error.hint}; or set approvals.author_may_approve in the policy",
            ) from error
    return frozenset(found)


def _too_few(approval_request: ApprovalRequest, rule: ApprovalRule, approvals: Approvals) -> TooFewApprovals:
    count = len(approvals.counted)
    needed = f"{rule.required} approval{'s' if rule.required > 1 else ''}"
    by = f" (by {', '.join(approval.principals[0] for approval in approvals.counted)})" if count else ""
    where = f"{approval_request.policy.file}:{rule.line}" if rule.line else approval_request.policy.file
    reasons = [f"{finding.file}, {finding.message}" for finding in approvals.findings]
    told = f"; not counted: {'; '.join(reasons[:3])}" if reasons else ""
    return TooFewApprovals(
        f"the plan needs {needed} and has {count or 'none'}{by} ({where}){told}",
        hint=f"somebody listed in {rule.allowed_signers} who wrote none of it runs: "
        f"syncengine approve {approval_request.plan} --key KEY",
        needed=rule.required,
        given=[approval.principals[0] for approval in approvals.counted],
        left_out=approvals.left_out,
        problems=[_problem(finding) for finding in approvals.findings],
    )


def _problem(finding: Problem) -> Problem:
    return msgspec.structs.replace(finding, severity="error")
