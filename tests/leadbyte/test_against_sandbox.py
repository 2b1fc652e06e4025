"""The gateway and the sandbox, which share no code: what one says, the other understands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncengine.core.outcomes import Denied, Elements, LeadEntry, Lost, NotSent, Redirected, Refused, Unread, Verdict
from syncengine.core.ports import Gateway
from syncengine.leadbyte import Secret, gateway_factory
from syncengine.sandbox import (
    Fault,
    FaultAnswer,
    FaultRule,
    Key,
    Permission,
    RunningSandbox,
    Sandbox,
    SandboxOptions,
    Script,
)

from .samples import SECRET, SteadyClock, account, entry, financials, reprocess, trigger, update

PAIR = (entry(update("2932682"), trigger(lead="2932682")), entry(update("2932683"), reprocess("2932683")))
MONEY = (entry(financials()),)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    keys = (Key(text=SECRET.reveal()), Key(text="updates-only", permissions=frozenset({Permission.UPDATE})))
    options = SandboxOptions(any_lead=True, state=tmp_path / "state", keys=keys)
    with Sandbox(options).start() as running:
        yield running


@pytest.fixture
def gateway(sandbox: RunningSandbox) -> Iterator[Gateway]:
    made = gateway_factory(account(sandbox.url), SECRET, SteadyClock())()
    yield made
    made.close()


def effects(sandbox: RunningSandbox) -> list[dict[str, Any]]:
    assert sandbox.idle(10)
    return [json.loads(line) for line in sandbox.effects_log.read_text().splitlines()]


def fault_name(value: object) -> str:
    if isinstance(value, FaultAnswer):
        return f"{value.status}-{value.body}"
    return value.__name__ if isinstance(value, type) else str(value)


def successes(verdict: Verdict) -> dict[int, bool | None]:
    assert isinstance(verdict, Elements), verdict
    return {position: element.success for position, element in verdict.by_position.items()}


def test_documented_requests_do_what_they_say(sandbox: RunningSandbox, gateway: Gateway) -> None:
    assert successes(gateway.send(PAIR)[0]) == {0: True, 1: True}
    assert successes(gateway.send(MONEY)[0]) == {0: True}
    done = effects(sandbox)
    assert [each["effect"] for each in done] == ["update", "trigger", "update", "reprocess", "financials"]


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        (["reverse"], {0: True, 1: True}),
        (["missing_first"], {1: True}),
        (["missing_last"], {0: True}),
        (["missing_all"], {}),
        (["extra"], {0: True, 1: True}),
        (["duplicate"], {0: True, 1: True}),
        (["ids_as_numbers", "no_warnings"], {0: True, 1: True}),
        (["status_warning"], {0: True, 1: True}),
        (["status_lower_case"], {0: True, 1: True}),
    ],
    ids=str,
)
def test_odd_elements_are_matched(
    sandbox: RunningSandbox, gateway: Gateway, elements: Any, expected: dict[int, bool]
) -> None:
    sandbox.set_faults(Script(rules=[FaultRule(fault=Fault(elements=elements))]))
    assert successes(gateway.send(PAIR)[0]) == expected


@pytest.mark.parametrize("distortion", ["duplicate_differing", "contradictory"])
def test_contradictions_are_not_believed(sandbox: RunningSandbox, gateway: Gateway, distortion: Any) -> None:
    sandbox.set_faults(Script(rules=[FaultRule(fault=Fault(elements=[distortion]))]))
    assert None in successes(gateway.send(PAIR)[0]).values()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("reset", Lost),
        ("reset_half", Lost),
        ("close", Lost),
        ("close_half", Lost),
        (FaultAnswer(body="html"), Lost),
        (FaultAnswer(body="empty"), Lost),
        (FaultAnswer(body="garbage"), Lost),
        (FaultAnswer(body="cut"), Lost),
        (FaultAnswer(body="huge", megabytes=20), Lost),
        (FaultAnswer(gzip=True), Elements),
        (FaultAnswer(chunked=True), Elements),
        (FaultAnswer(close=True), Elements),
        (FaultAnswer(status=400, body="error"), Refused),
        (FaultAnswer(status=401, body="error"), Denied),
        (FaultAnswer(status=413, body="html"), Unread),
        (FaultAnswer(status=429, body="error", retry_after=3), NotSent),
        (FaultAnswer(status=503, body="html"), Lost),
        (FaultAnswer(status=302, location="http://127.0.0.1:1/"), Redirected),
    ],
    ids=fault_name,
)
def test_faults_mean_what_the_table_says(sandbox: RunningSandbox, gateway: Gateway, answer: Any, kind: type) -> None:
    sandbox.set_faults(Script(rules=[FaultRule(fault=Fault(answer=answer, effect="all"))]))
    entries: tuple[LeadEntry, ...]
    for entries in (PAIR, MONEY):
        verdict, _ = gateway.send(entries)
        assert type(verdict) is kind, verdict


def test_a_missing_permission_is_a_denial_with_the_services_words(sandbox: RunningSandbox) -> None:
    gateway = gateway_factory(account(sandbox.url), Secret("updates-only"), SteadyClock())()
    verdict, status = gateway.send(PAIR)
    gateway.close()
    assert status == 403
    assert isinstance(verdict, Denied)
    assert "lacks the permission Leads > Reprocess" in verdict.message
    assert effects(sandbox) == []
