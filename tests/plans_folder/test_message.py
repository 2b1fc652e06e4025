"""The message at the end of `apply DIR`: counts, runs and what waits, once for the whole command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.bench import Bench
from tests.histories.test_notify import VARIABLE, Mailbox, configure, mailbox
from tests.plans_folder.team import apply_folder, declare, triggers, update, updates

__all__ = ["mailbox"]


@pytest.fixture
def notified(bench: Bench, monkeypatch: pytest.MonkeyPatch, mailbox: Mailbox) -> Bench:
    """Approvals are asked for triggers, and messages are sent about everything."""
    monkeypatch.setenv(VARIABLE, mailbox.address)
    monkeypatch.setattr("syncengine.cli.notify.SECONDS", 120.0)  # a busy machine takes long to load apprise
    (bench.folder / "signers").write_text("")
    rule = {"required": 1, "when": "plan.trigger > 0", "allowed_signers": "signers", "author_may_approve": True}
    bench.configure(policy={"approvals": rule})
    configure(bench, urls=[f"env:{VARIABLE}"], on=["in_doubt", "stopped", "rejected", "waiting"])
    return bench


def test_one_message_about_all_plans(notified: Bench, mailbox: Mailbox) -> None:
    bench = notified
    declare(bench, a_first=updates(1, 2), b_second=triggers(11, 1), c_third=[update("TN25 6QD", lead="21")])
    bench.faults({"match": {"lead": "21"}, "fault": {"reject": {"message": "no TN25 6QD", "leads": ["21"]}}})
    ended = apply_folder(bench)
    assert ended.code == 4, ended
    (message,) = mailbox.messages
    assert "rejected, waiting for approvals" in message["title"]
    said = message["message"]
    assert "2 applied, 1 rejected, 0 in doubt, 0 not sent" in said
    assert "2 plans settled, 1 waiting for approvals, 0 refused" in said
    for plan in ended.json["plans"]:
        assert plan["run"] in said
        assert plan["plan"][:8] in said
    assert f"b-second, plan {ended.json['waiting'][0]['plan'][:8]}" in said
    assert "TN25" not in said


def test_a_message_about_what_waits_alone(notified: Bench, mailbox: Mailbox) -> None:
    declare(notified, b_second=triggers(11, 1))
    assert apply_folder(notified).code == 6
    (message,) = mailbox.messages
    assert message["title"].endswith("waiting for approvals")


def test_no_message_where_everything_is_done(notified: Bench, mailbox: Mailbox) -> None:
    declare(notified, a_first=updates(1, 2))
    assert apply_folder(notified).code == 0
    folder: Path = notified.folder / "plans"
    (folder / "a-first.plan").unlink()
    (folder / "plans.json").write_text('{"account": "acme", "plans": [], "warnings": []}')
    assert apply_folder(notified).code == 0
    assert mailbox.messages == []
