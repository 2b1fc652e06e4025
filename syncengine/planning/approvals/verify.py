"""Decides which signatures approve a plan: checks each of them, counts distinct people, and leaves out authors."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from syncengine.core.errors import InputError, NotApproved, Problem
from syncengine.core.plan import AuthorCommit, PlanSummary
from syncengine.core.settings import Account, ApprovalRule, Policy
from syncengine.documents.files import read_bounded
from syncengine.planning.approvals.files import MAX_BYTES, NAMESPACE, approval_path, repository_path, signed_text
from syncengine.planning.approvals.signers import Signer, signers_in
from syncengine.planning.approvals.ssh_keygen import Keygen
from syncengine.planning.approvals.sshsig import Signature, signatures_in
from syncengine.planning.authors import Authorship
from syncengine.planning.policy import approval_rule

_MOST_SIGNATURES = 200


class ApprovalRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A verified plan, its approval files besides PLAN.approval and the repository's, and the environment for git and
    ssh-keygen.

    `plan` is None where the plan is not saved. `root` is the repository that the changesets' paths are relative to;
    `now` is UTC, ISO 8601.
    """

    summary: PlanSummary
    plan: Path | None
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


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A valid signature. `principals` are all names of its key in the signers' file."""

    principals: tuple[str, ...]
    fingerprint: str
    file: str

    def __str__(self) -> str:
        return f"{self.principals[0]} {self.fingerprint}"


class Approvals(msgspec.Struct, frozen=True, kw_only=True):
    """`counted` holds one approval for each person; `findings` say why others were not counted. `left_out` names them
    with the reason: a principal that the signers' file lists with the key, otherwise the key's fingerprint."""

    counted: tuple[Approval, ...]
    findings: tuple[Problem, ...]
    left_out: tuple[tuple[str, str], ...] = ()


def look_at_approvals(request: ApprovalRequest, rule: ApprovalRule, authors: Callable[[], Authorship]) -> Approvals:
    """Check every signature in PLAN.approval, in the repository's file for this plan, and in the named files.

    `authors` is called where there are signatures. Raises InputError where a named file or ssh-keygen is missing,
    NotApproved where the signers' file differs from the one that the policy was read with.
    """
    findings: list[Problem] = []
    blocks = list(_blocks(request, findings))
    if not blocks:
        return Approvals(counted=(), findings=tuple(findings))
    judge = _Judge(request, rule, authors())
    approvals: list[Approval] = []
    left_out: list[tuple[str, str]] = []
    for file, number, signature in blocks:
        place = f"signature {number}"
        outcome = judge.judge(signature, file)
        if isinstance(outcome, Approval):
            approvals.append(outcome)
        else:
            code, why, hint = outcome
            left_out.append((judge.called(signature), why))
            findings.append(Problem(code=code, message=f"{place}: {why}", file=file, hint=hint, severity="warning"))
    return Approvals(counted=_one_each(approvals), findings=tuple(findings), left_out=tuple(left_out))


def require_counting(request: ApprovalRequest, rule: ApprovalRule, authors: Authorship, armoured: str) -> None:
    """Raise NotApproved where this signature would not count for the plan."""
    found, _ = signatures_in(armoured)
    outcome = _Judge(request, rule, authors).judge(found[0], "")
    if not isinstance(outcome, Approval):
        code, why, hint = outcome
        raise NotApproved(f"this approval would not count, and nothing was signed: {why}", code=code, hint=hint)


def _blocks(request: ApprovalRequest, findings: list[Problem]) -> Iterable[tuple[str, int, Signature]]:
    digest = request.summary.digest
    unasked = {repository_path(request.root, digest): repository_path(Path(), digest)}
    if request.plan is not None:
        unasked = {approval_path(request.plan): approval_path(request.plan), **unasked}
    named = {file: file for file in request.files}
    seen: set[str] = set()
    for file, shown in ({file: shown for file, shown in unasked.items() if os.path.lexists(file)} | named).items():
        try:
            text = read_bounded(file, MAX_BYTES).decode("utf-8-sig", "replace")
            signatures, problems = signatures_in(text)
        except InputError as error:
            signatures, problems = [], [error.message]
        for problem in problems:
            hint = "'syncengine approve' writes approvals; name the file that it wrote"
            findings.append(Problem(code="SE641", message=problem, file=str(shown), hint=hint, severity="warning"))
        for number, signature in enumerate(signatures, 1):
            if signature.armoured not in seen and len(seen) < _MOST_SIGNATURES:
                seen.add(signature.armoured)
                yield str(shown), number, signature


def _signers(rule: ApprovalRule) -> list[Signer]:
    if not rule.allowed_signers:
        return []
    data = read_bounded(Path(rule.allowed_signers), MAX_BYTES)
    if hashlib.sha256(data).hexdigest() != rule.signers:
        raise NotApproved(
            f"{rule.allowed_signers} changed while it was in use", hint="run the same command again", code="SE649"
        )
    return signers_in(data.decode("utf-8", "replace"))


_Refused = tuple[str, str, str]
"""Code, reason, what to do."""


class _Judge:
    def __init__(self, request: ApprovalRequest, rule: ApprovalRule, authors: Authorship) -> None:
        self._rule = rule
        self._authors = authors
        self._changesets = {changeset.file for changeset in request.summary.changesets}
        self._now = request.now
        self._keygen = Keygen(request.environ)
        self._signers = _signers(rule)
        self._message = signed_text(request.summary.digest)

    def judge(self, signature: Signature, file: str) -> Approval | _Refused:
        """The approval, or the reason why the signature does not count."""
        if signature.namespace != NAMESPACE:
            why = f"it was made for {signature.namespace[:40]!r}, not for {NAMESPACE!r}"
            return "SE642", why, "approve with 'syncengine approve', or 'ssh-keygen -Y sign -n syncengine-plan'"
        weakness = signature.weakness()
        if weakness:
            return "SE643", weakness, "approve with another key, listed for the same person"
        lines = [each for each in self._signers if self._concerns(each, signature)]
        usable = [each for each in lines if not each.fault]
        if not usable:
            return self._nobody(signature, lines)
        names: list[str] = []
        complaint = ""
        for line in usable:
            checked = self._keygen.check(
                self._message, signature.armoured, signer=line.line, namespace=NAMESPACE, now=self._now
            )
            names.extend(checked.principals)
            complaint = checked.complaint or complaint
        if not names:
            return _in_words(complaint, signature)
        return self._unless_author(
            Approval(principals=tuple(dict.fromkeys(names)), fingerprint=signature.fingerprint, file=file)
        )

    def called(self, signature: Signature) -> str:
        """The principals listed with the key of a signature; its fingerprint where there are none."""
        named = (each.principals for each in self._signers if each.key == signature.key)
        return next((principals[0] for principals in named if principals), signature.fingerprint)

    def _concerns(self, signer: Signer, signature: Signature) -> bool:
        return signer.is_authority if signature.is_certificate else signer.key == signature.key

    def _nobody(self, signature: Signature, lines: Sequence[Signer]) -> _Refused:
        where = self._rule.allowed_signers
        if lines:
            why = f"line {lines[0].number} of {where} cannot be used: {lines[0].fault}"
            return "SE645", why, "list each signer by name, such as anna@example.com, typed anew where it was copied"
        why = f"its key {signature.fingerprint} ({signature.key_type}) is not in {where}"
        return (
            "SE644",
            why,
            "have it approved by a person listed there; new signers are added to that file in a reviewed commit",
        )

    def _unless_author(self, approval: Approval) -> Approval | _Refused:
        own = sorted({name.lower() for name in approval.principals} & self._authors.keys())
        if not own or self._rule.author_may_approve:
            return approval
        why = f"{own[0]} wrote {self._work(self._authors[own[0]])}; authors do not approve their own work"
        return "SE647", why, "have it approved by a listed person who wrote neither its changesets nor their data"

    def _work(self, by: AuthorCommit) -> str:
        if not by.commit:
            return "a changeset of this plan, as the plan records"
        what = "a changeset" if by.file in self._changesets else "data"
        return f"{what} of this plan: {by.file}, as {by.role} of commit {by.commit}"


def _in_words(complaint: str, signature: Signature) -> _Refused:
    said = complaint.lower()
    if "expired" in said or "not yet valid" in said:
        return (
            "SE646",
            f"its key {signature.fingerprint} may not sign now: {complaint}",
            "have it approved with a valid key; valid-after and valid-before are set in the file of allowed signers",
        )
    if "namespace" in said:
        return (
            "SE642",
            f"its key {signature.fingerprint} may not approve: {complaint}",
            (f"add {NAMESPACE!r} to the namespaces of that line, in a reviewed commit"),
        )
    if "incorrect signature" in said or "could not verify" in said:
        return (
            "SE648",
            "it signs something else: another plan, or this one before it was made anew",
            ("an approval is worth nothing for any other plan: have this one approved"),
        )
    return "SE644", f"ssh-keygen does not accept it: {complaint or 'no reason given'}", "have the plan approved again"


def _one_each(approvals: Sequence[Approval]) -> tuple[Approval, ...]:
    """One approval for each person. Two that share a key or any name, even through a third, are the same person."""
    people: list[tuple[set[str], Approval]] = []
    for approval in approvals:
        names = {name.lower() for name in approval.principals} | {approval.fingerprint}
        same = [person for person in people if person[0] & names]
        people = [person for person in people if not person[0] & names]
        people.append((names.union(*(person[0] for person in same)), same[0][1] if same else approval))
    return tuple(approval for _, approval in people)


def missing_named(files: Iterable[Path]) -> None:
    """Raise InputError where a file given by name does not exist."""
    for file in files:
        if not file.is_file():
            raise InputError(
                f"there is no approval file {file}", code="SE902", hint="name the file that 'syncengine approve' wrote"
            )
