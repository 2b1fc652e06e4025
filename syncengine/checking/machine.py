"""Checks of the machine: git, ssh-keygen, usable signing keys, and proxies that are ignored."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from syncengine.checking.check import Check
from syncengine.core.errors import InputError
from syncengine.core.settings import ApprovalRule, Settings
from syncengine.documents.files import read_bounded
from syncengine.planning.approvals.signers import Signer, signers_in
from syncengine.planning.authors import Authors, GitCannotTell
from syncengine.planning.line_endings import converted

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
_MOST_BYTES = 1024 * 1024
_LISTED = 5


def machine_checks(settings: Settings | None, environ: Mapping[str, str]) -> Iterator[Check]:
    """Proxies, git, approvals; `settings` is None where there is no usable configuration."""
    yield _proxies(environ)
    rule = None if settings is None else settings.policy.approvals
    yield from _git(settings, rule, environ)
    if settings is not None:
        yield from _line_endings(Path(settings.root), environ)
        yield from _signers(rule, environ)


def _proxies(environ: Mapping[str, str]) -> Check:
    found = [name for name in _PROXIES if environ.get(name)]
    if not found:
        return Check(name="proxies", state="ok", message="the environment names no proxy")
    return Check(
        name="proxies",
        state="warning",
        message=f"{', '.join(found)} {'is' if len(found) == 1 else 'are'} set, and ignored: connections are direct",
        advice="where a proxy is the only way out, let this machine reach the service directly",
    )


def _git(settings: Settings | None, rule: ApprovalRule | None, environ: Mapping[str, str]) -> Iterator[Check]:
    needed = rule is not None and not rule.author_may_approve
    if shutil.which("git", path=environ.get("PATH", "")) is None:
        advice = "install git: apply asks it who wrote a changeset, and refuses where it cannot tell"
        if needed:
            yield Check(name="git", state="problem", message="git is not on the PATH", advice=advice)
        else:
            yield Check(name="git", state="warning", message="git is not on the PATH", advice="install git")
        return
    if settings is None or not needed:
        yield Check(name="git", state="ok", message="git is there")
        return
    file = Path(settings.file)
    try:
        Authors(Path(settings.root), environ).of(file.name)
    except GitCannotTell as error:
        yield Check(
            name="git",
            state="warning",
            message=f"git cannot tell who wrote {file.name}: {error.reason}",
            advice=f"{error.hint}; where it cannot tell for a changeset, apply refuses",
        )
        return
    yield Check(name="git", state="ok", message="git is there, and knows who wrote what")


def _line_endings(root: Path, environ: Mapping[str, str]) -> Iterator[Check]:
    """Warnings about converted line endings; none without git."""
    found = converted(root, environ)
    for file in found[:_LISTED]:
        yield Check(name="line endings", state="warning", message=file.message, advice=file.advice)
    if len(found) > _LISTED:
        more = f"{len(found) - _LISTED:,} more files differ from what is committed in their line endings only"
        yield Check(name="line endings", state="warning", message=more, advice=found[0].advice)


def _signers(rule: ApprovalRule | None, environ: Mapping[str, str]) -> Iterator[Check]:
    if rule is None:
        yield Check(name="signers", state="ok", message="the policy asks for no approvals")
        return
    if shutil.which("ssh-keygen", path=environ.get("PATH", "")) is None:
        yield Check(
            name="signers",
            state="problem",
            message="ssh-keygen is not on the PATH, so no approval can be made or checked",
            advice="install OpenSSH's client",
        )
    try:
        text = read_bounded(Path(rule.allowed_signers), _MOST_BYTES).decode()
    except (InputError, UnicodeDecodeError) as error:
        reason = error.message if isinstance(error, InputError) else "it is not UTF-8 text"
        yield Check(
            name="signers",
            state="problem",
            message=f"the allowed signers cannot be read: {reason}",
            advice="write one line for each approver: ann@example.com ssh-ed25519 AAAA...",
        )
        return
    yield from _listed_signers(rule, signers_in(text))


def _listed_signers(rule: ApprovalRule, signers: Sequence[Signer]) -> Iterator[Check]:
    faulty = [signer for signer in signers if signer.fault]
    for signer in faulty[:_LISTED]:
        yield Check(
            name="signers",
            state="warning",
            message=f"{rule.allowed_signers}:{signer.number}: no one can approve with this line: {signer.fault}",
            advice="write: ann@example.com ssh-ed25519 AAAA...",
        )
    people = {name for signer in signers if not signer.fault for name in signer.principals}
    if len(people) < rule.required:
        yield Check(
            name="signers",
            state="problem",
            message=f"the policy asks for {rule.required}, and {len(people)} can sign",
            advice=f"add people to {rule.allowed_signers}",
        )
        return
    yield Check(name="signers", state="ok", message=f"{len(people)} can sign, and {rule.required} must")
