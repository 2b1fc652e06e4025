"""The terms under which an open run was submitted, against those of a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncengine.core.digests import wire_digest
from syncengine.core.errors import Refusal
from syncengine.core.settings import Account
from syncengine.distributed.store import WorkerStore
from syncengine.make_plan import TOOL


def refuse_other_terms(
    store: WorkerStore, accounts: Sequence[Account], queues: Mapping[str, str], policy_digest: str
) -> None:
    """Raise Refusal where an open run of these accounts needs another version, policy, wire or host."""
    known = {account.identity: account for account in accounts}
    for submission in store.rows("open_submissions"):
        account = known.get(submission["account"])
        if account is None or submission["queue"] in queues.values():
            continue
        mine = {
            "syncengine": (submission["tool"], TOOL),
            "policy": (submission["policy_digest"], policy_digest),
            "wire settings": (submission["wire_digest"], wire_digest(account.wire)),
            "host": (submission["host"], account.host),
        }
        other = "; ".join(
            f"{what}: {theirs[:20]} there, {own[:20]} here" for what, (theirs, own) in mine.items() if theirs != own
        )
        raise Refusal(
            f"run {submission['run']} of account {account.name} was submitted under other terms than this "
            f"worker has ({other})",
            code="SE662",
            hint="start workers of the same version with the configuration that the plan was submitted with, or "
            f"stop it: syncengine cancel {submission['run']}",
        )
