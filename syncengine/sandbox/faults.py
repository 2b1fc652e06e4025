"""Scripted faults: which requests they apply to, and what they do.

The format is published, with a description of every key, as schemas/sandbox-faults.v1.schema.json. The types below are
that format; what they cannot express is checked in faults_file.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

Count = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
Step = Literal["received", "before_effect", "after_effect", "half_answer", "answered"]
Drop = Literal["normal", "reset", "reset_half", "close", "close_half", "never"]
Distortion = Literal[
    "reverse",
    "missing_first",
    "missing_last",
    "missing_all",
    "extra",
    "duplicate",
    "duplicate_differing",
    "contradictory",
    "ids_as_numbers",
    "no_warnings",
    "errors_as_objects",
    "status_warning",
    "status_lower_case",
    "envelope_error",
]
BodyKind = Literal["normal", "error", "html", "empty", "garbage", "cut", "text", "huge", "flood", "drip"]


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Selects requests. All conditions must hold; `nth`, `every` and `after` count the requests that meet the
    others."""

    method: str | None = None
    path: str | None = None
    lead: str | None = None
    delivery: str | None = None
    nth: Count | list[Count] | None = None
    every: Count | None = None
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    seed: int | None = None
    times: Count | None = None

    @property
    def reads_body(self) -> bool:
        return self.lead is not None or self.delivery is not None


class Signal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signal sent to a process, given by pid or by a file that holds its pid, when the request reaches a step."""

    send: Literal["KILL", "STOP", "TERM", "INT"]
    at: Step
    pid: Annotated[int, msgspec.Meta(ge=2)] | None = None
    pid_file: str | None = None
    continue_after: Seconds | None = None


class RejectedLeads(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Leads that fail inside a readable answer. The effects listed in `done` happen all the same."""

    message: str = "Lead could not be updated"
    leads: list[str] | None = None
    done: Annotated[int, msgspec.Meta(ge=0)] = 0


class PartialEffect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A partial effect: on the first leads only, or on all leads after a delay in seconds."""

    first: Annotated[int, msgspec.Meta(ge=0)] | None = None
    late: Seconds | None = None


class FaultAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer that replaces the service's own."""

    status: Annotated[int, msgspec.Meta(ge=200, le=599)] = 200
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    retry_after: Annotated[int, msgspec.Meta(ge=0)] | None = None
    retry_after_date: int | None = None
    location: str | None = None
    body: BodyKind = "normal"
    message: str = "The sandbox was told to fail"
    text: str | None = None
    megabytes: Annotated[int, msgspec.Meta(ge=1, le=4096)] | None = None
    gzip: bool = False
    chunked: bool = False
    close: bool = False


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The effect of a rule on a matching request. Everything left out proceeds normally."""

    read: Literal["reset", "reset_half", "slow"] | None = None
    bytes_per_second: Count = 1024
    refuse_seconds: Seconds = 0
    delay_before: Seconds = 0
    delay_after: Seconds = 0
    effect: Literal["all", "none"] | PartialEffect | None = None
    reject: RejectedLeads | None = None
    elements: list[Distortion] = msgspec.field(default_factory=list)
    answer: Drop | FaultAnswer = "normal"
    signal: Signal | None = None

    @property
    def strikes_early(self) -> bool:
        """Whether the fault happens before the body is read, so that it cannot depend on the body."""
        return self.read is not None or self.refuse_seconds > 0


class FaultRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    fault: Fault
    match: Match = Match()
    name: str = ""


class Script(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole fault script. `latency_ms` is added to every request, before its effect."""

    version: Literal[1] = 1
    latency_ms: Annotated[float, msgspec.Meta(ge=0, le=600_000)] = 0
    rules: list[FaultRule] = msgspec.field(default_factory=list)


NO_FAULT = Fault()


@dataclass(frozen=True, slots=True)
class Mentioned:
    """The leads (prefix `q` for quarantined ones) and deliveries that a request's body names."""

    leads: frozenset[str]
    deliveries: frozenset[str]


@dataclass(slots=True)
class _Counter:
    random: random.Random
    candidates: int = 0
    struck: int = 0


@dataclass(slots=True)
class Trouble:
    """A fault script in use. It counts requests for each rule; pid files are relative to `base`. Thread-safe.

    The first matching rule applies; the other matching rules count the request all the same. Rules that apply before
    the body is read are evaluated first, and the other rules are then skipped.
    """

    script: Script
    base: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _counters: list[_Counter] = field(init=False)

    def __post_init__(self) -> None:
        self._counters = [_Counter(random.Random(rule.match.seed)) for rule in self.script.rules]

    def strike_early(self, method: str, path: str) -> FaultRule | None:
        return self._strike(method, path, None, early=True)

    def strike(self, method: str, path: str, mentioned: Callable[[], Mentioned]) -> FaultRule | None:
        return self._strike(method, path, mentioned, early=False)

    @property
    def reads_slowly(self) -> bool:
        return any(rule.fault.read == "slow" for rule in self.script.rules)

    def label(self, rule: FaultRule) -> str:
        return rule.name or f"rules[{next(i for i, each in enumerate(self.script.rules) if each is rule)}]"

    def _strike(
        self, method: str, path: str, mentioned: Callable[[], Mentioned] | None, *, early: bool
    ) -> FaultRule | None:
        if not self.script.rules:
            return None
        chosen: FaultRule | None = None
        with self._lock:
            for rule, counter in zip(self.script.rules, self._counters, strict=True):
                if rule.fault.strikes_early is not early or not _fits(rule.match, method, path, mentioned):
                    continue
                counter.candidates += 1
                if _its_turn(rule.match, counter) and chosen is None:
                    counter.struck += 1
                    chosen = rule
        return chosen


def _fits(match: Match, method: str, path: str, mentioned: Callable[[], Mentioned] | None) -> bool:
    if match.method is not None and match.method.upper() != method:
        return False
    if match.path is not None and not fnmatchcase(path, match.path):
        return False
    if not match.reads_body or mentioned is None:
        return not match.reads_body
    named = mentioned()
    return match.lead in (None, *named.leads) and match.delivery in (None, *named.deliveries)


def _its_turn(match: Match, counter: _Counter) -> bool:
    # Draw first, so that the same requests draw the same random numbers whatever else the rule says.
    drawn = match.probability is None or counter.random.random() < match.probability
    position = counter.candidates - match.after
    spent = match.times is not None and counter.struck >= match.times
    return drawn and position > 0 and not spent and _is_chosen(match, position)


def _is_chosen(match: Match, position: int) -> bool:
    chosen = [match.nth] if isinstance(match.nth, int) else match.nth
    return (chosen is None or position in chosen) and (match.every is None or position % match.every == 0)


def mentioned_in(document: Any) -> Mentioned:
    """Leads and deliveries that a request's body names; none for a body that is not an object."""
    leads: set[str] = set()
    deliveries: set[str] = set()
    # A body may be anything: faults strike before the sandbox checks it, as a broken service would.
    if not isinstance(document, dict):
        return Mentioned(frozenset(), frozenset())
    for item in _each(document.get("leads")):
        element = item if isinstance(item, dict) else {"id": item}
        leads.update(_texts(element.get("id")))
        leads.update(_texts(element.get("quarantineId"), "q"))
        for name in ("triggerDeliveryId", "triggerDeliveryIds"):
            deliveries.update(_texts(element.get(name)))
    for name in ("quarantineId", "quarantineIds"):
        leads.update(_texts(document.get(name), "q"))
    return Mentioned(frozenset(leads), frozenset(deliveries))


def _each(value: Any) -> list[Any]:
    """The items of a list; one value alone is a list of it, null of none."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if item is not None]


def _texts(value: Any, prefix: str = "") -> list[str]:
    return [f"{prefix}{item}" for item in _each(value)]
