"""Differences from the account's last run. They are facts of other people's runs, so they are notes outside the
digest."""

from __future__ import annotations

from collections.abc import Iterator

from syncengine.core.finding import Finding
from syncengine.core.ports import RunRecord
from syncengine.core.settings import Policy


def since_last_run(last: RunRecord | None, policy: Policy, wire_digest: str) -> Iterator[Finding]:
    """Findings on a policy, signers or wire settings that differ from the last run's."""
    if last is None:
        return
    run = f"the account's last run, {last.run} of {last.started[:16]}"
    if last.policy_digest and last.policy_digest != policy.digest:
        yield _finding(
            f"the policy or its signers are not those of {run}: see {_place(policy)} and what changed there since "
            f"(digest {last.policy_digest[:8]} then, {policy.digest[:8] or 'none'} now)"
        )
    if last.wire_digest and last.wire_digest != wire_digest:
        yield _finding(f"the account's wire settings are not those of {run}: requests are written in another way")


def _finding(message: str) -> Finding:
    return Finding(rule="last-run", severity="medium", message=message)


def _place(policy: Policy) -> str:
    lines = [line for line in policy.lines.values() if line]
    file = policy.file or "syncengine.yaml"
    return f"{file}:{min(lines)}" if lines else file
