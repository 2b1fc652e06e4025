"""Authorisation of apply: enough people approved exactly this plan, and none of them is an author."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from syncengine.core.changes import data_files
from syncengine.core.errors import NotApproved, Problem, TooFewApprovals
from syncengine.core.plan import AuthorCommit, ChangesetHeader
from syncengine.core.settings import ApprovalRule
from syncengine.planning.approvals.verify import ApprovalRequest, Approvals, look_at_approvals, require_counting
from syncengine.planning.authors import Authors, Authorship, GitCannotTell

_RECORDED = AuthorCommit(commit="", file="", role="author")
"""For authors whose commits a plan file does not name."""


def authorize(request: ApprovalRequest, note: Callable[[str], None]) -> tuple[str, ...]:
    """The approvals that counted, each as "principal SHA256:fingerprint". Raises TooFewApprovals where they do
    not suffice, NotApproved where that cannot be decided."""
    rule = request.rule
    if rule is None:
        return ()
    authors = _authors(request, rule, _strictly)
    approvals = look_at_approvals(request, rule, lambda: authors)
    if len(approvals.counted) < rule.required:
        raise _too_few(request, rule, approvals)
    for finding in approvals.findings:
        note(f"not counted: {finding.file}, {finding.message}")
    return tuple(str(approval) for approval in approvals.counted)


def would_count(request: ApprovalRequest) -> Approvals | None:
    """The approvals so far; None where none are needed. None counts where git cannot tell the authors, as in apply."""
    rule = request.rule
    if rule is None:
        return None
    unknown: list[GitCannotTell] = []

    def authors() -> Authorship:
        try:
            return _authors(request, rule, _all_of)
        except GitCannotTell as error:
            unknown.append(error)
            return known_authors(request, rule)

    approvals = look_at_approvals(request, rule, authors)
    return _none_counts(approvals, unknown[0]) if unknown else approvals


def _none_counts(approvals: Approvals, error: GitCannotTell) -> Approvals:
    """The same with those that counted left out, because any of them may be an author's."""
    why = f"git cannot tell the authors: {error.reason}"
    left_out = tuple((approval.principals[0], f"{why}; {error.hint}") for approval in approvals.counted)
    findings = tuple(
        Problem(
            code="SE639",
            message=f"{approval.principals[0]}: {why}",
            file=approval.file,
            hint=error.hint,
            severity="warning",
        )
        for approval in approvals.counted
    )
    return Approvals(counted=(), findings=approvals.findings + findings, left_out=approvals.left_out + left_out)


def require_signer(request: ApprovalRequest, armoured: str) -> None:
    """Raise NotApproved unless this signature can count for the plan, now or when a rule asks for it."""
    rule = request.policy.approvals
    if rule is None or not rule.allowed_signers:
        raise no_signers(f"{request.policy.file or 'the policy'} names no allowed signers")
    require_counting(request, rule, known_authors(request, rule), armoured)


def no_signers(reason: str) -> NotApproved:
    """The refusal to sign where no configuration says who may approve."""
    return NotApproved(
        f"nothing was signed: {reason}, so no approval can count",
        code="SE675",
        hint="approve in a checkout whose syncengine.yaml sets policy.approvals with required and allowed_signers",
    )


def known_authors(request: ApprovalRequest, rule: ApprovalRule) -> Authorship:
    """The authors that the plan records and that git can name here."""
    return _authors(request, rule, lambda git, changeset, sources: git.known(changeset.file, sources))


def _all_of(git: Authors, changeset: ChangesetHeader, sources: Sequence[str]) -> Authorship:
    return git.of(changeset.file, sources)


def _strictly(git: Authors, changeset: ChangesetHeader, sources: Sequence[str]) -> Authorship:
    try:
        return _all_of(git, changeset, sources)
    except GitCannotTell as error:
        raise NotApproved(
            f"git cannot tell who wrote changeset {changeset.id} and its data, so it is unknown who may approve it: "
            f"{error.reason}",
            code="SE639",
            hint=f"{error.hint}; or set approvals.author_may_approve in the policy",
        ) from error


def _authors(
    request: ApprovalRequest,
    rule: ApprovalRule,
    ask: Callable[[Authors, ChangesetHeader, Sequence[str]], Authorship],
) -> Authorship:
    """Everyone who wrote a changeset or its data, as git reported when planning and as it reports now."""
    if rule.author_may_approve:
        return {}
    git = Authors(request.root, request.environ)
    found: dict[str, AuthorCommit] = {}
    for changeset in request.summary.changesets:
        found |= _recorded(changeset)
        found |= ask(git, changeset, data_files(changeset.id, request.summary.changes))
    return found


def _recorded(changeset: ChangesetHeader) -> dict[str, AuthorCommit]:
    commits = {email.lower(): commit for email, commit in changeset.commits.items()}
    return dict.fromkeys(map(str.lower, changeset.authors), _RECORDED) | commits


def _too_few(request: ApprovalRequest, rule: ApprovalRule, approvals: Approvals) -> TooFewApprovals:
    count = len(approvals.counted)
    needed = f"{rule.required} approval{'s' if rule.required > 1 else ''}"
    by = f" (by {', '.join(approval.principals[0] for approval in approvals.counted)})" if count else ""
    where = f"{request.policy.file}:{rule.line}" if rule.line else request.policy.file
    reasons = [f"{finding.file}, {finding.message}" for finding in approvals.findings]
    left_out = f"; not counted: {'; '.join(reasons[:3])}" if reasons else ""
    return TooFewApprovals(
        f"the plan needs {needed} and has {count or 'none'}{by} ({where}){left_out}",
        hint=f"a person listed in {rule.allowed_signers} who wrote neither changesets nor data runs: "
        f"syncengine approve {request.plan or 'PLAN'} --key KEY",
        needed=rule.required,
        given=[approval.principals[0] for approval in approvals.counted],
        left_out=approvals.left_out,
        problems=[_problem(finding) for finding in approvals.findings],
    )


def _problem(finding: Problem) -> Problem:
    return msgspec.structs.replace(finding, severity="error")
