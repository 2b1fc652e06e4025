"""Reads a fault script from a file: one JSON document, or JSON Lines with one rule per line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from syncengine.documents.files import open_ordinary
from syncengine.sandbox.errors import SandboxError
from syncengine.sandbox.faults import Fault, FaultAnswer, FaultRule, PartialEffect, Script, Signal

_MAX_BYTES = 16 * 1024 * 1024
_Kind = TypeVar("_Kind")


class _Latency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    latency_ms: float


def read_script(path: Path) -> Script:
    """The script of a file. Raises SandboxError naming file, line, key and the error."""
    try:
        with open_ordinary(path) as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise SandboxError(f"cannot read the faults file {path}: {error.strerror}") from error
    if len(data) > _MAX_BYTES:
        raise SandboxError(f"the faults file {path} is larger than {_MAX_BYTES} bytes")
    return parse_script(data, name=str(path))


def parse_script(data: bytes, *, name: str = "faults") -> Script:
    """Like read_script, from bytes; messages use `name` as the file's name."""
    script = _script(data, name)
    for index, rule in enumerate(script.rules):
        check_rule(rule, f"{name}: rules[{index}]")
    return script


def _script(data: bytes, name: str) -> Script:
    try:
        whole = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        lines = [(number, line) for number, line in enumerate(data.splitlines(), start=1) if line.strip()]
        if len(lines) < 2:
            raise SandboxError(f"{name}: neither a JSON document nor JSON Lines: {error}") from None
        return _from_lines(lines, name)
    if isinstance(whole, dict) and ("fault" in whole or set(whole) == {"latency_ms"}):
        return _from_lines([(1, data)], name)
    return _decoded(data, Script, name)


def _from_lines(lines: Iterable[tuple[int, bytes]], name: str) -> Script:
    rules: list[FaultRule] = []
    latency = 0.0
    for number, line in lines:
        where = f"{name}, line {number}"
        if b'"fault"' in line:
            rules.append(_decoded(line, FaultRule, where))
        else:
            latency = _decoded(line, _Latency, where).latency_ms
    return _decoded(msgspec.json.encode({"latency_ms": latency, "rules": rules}), Script, name)


def _decoded(data: bytes, kind: type[_Kind], where: str) -> _Kind:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SandboxError(f"{where}: {error}; schemas/sandbox-faults.v1.schema.json describes the format") from None


_Check = tuple[Callable[[FaultRule], bool], str]


def check_rule(rule: FaultRule, where: str) -> None:
    """Check what the types cannot express. Raises SandboxError naming the rule and what to change."""
    for wrong, advice in _CHECKS:
        if wrong(rule):
            raise SandboxError(f"{where}: {advice}")


def _answered_otherwise(fault: Fault) -> bool:
    return fault.answer != "normal"


def _shapes_lost(fault: Fault) -> bool:
    shaped = bool(fault.elements) or fault.reject is not None
    return shaped and isinstance(fault.answer, FaultAnswer) and fault.answer.body not in ("normal", "cut", "huge")


def _ambiguous_part(fault: Fault) -> bool:
    return isinstance(fault.effect, PartialEffect) and (fault.effect.first is None) is (fault.effect.late is None)


def _ambiguous_process(signal: Signal | None) -> bool:
    return signal is not None and (signal.pid is None) is (signal.pid_file is None)


def _goes_on_after_reset(fault: Fault) -> bool:
    ended = fault.read in ("reset", "reset_half") or (fault.refuse_seconds > 0 and fault.read != "slow")
    rest = (fault.delay_before, fault.delay_after, fault.effect, fault.reject, fault.elements)
    return ended and (any(rest) or _answered_otherwise(fault) or fault.signal is not None)


_CHECKS: tuple[_Check, ...] = (
    (lambda rule: rule.fault == Fault(), "the fault does nothing: say what goes wrong"),
    (
        lambda rule: rule.match.probability is not None and rule.match.seed is None,
        "a probability needs a seed, so that a run can be repeated",
    ),
    (
        lambda rule: rule.fault.strikes_early and rule.match.reads_body,
        "read and refuse_seconds strike before the body is read, so the match cannot name a lead or delivery",
    ),
    (
        lambda rule: rule.fault.read == "slow" and rule.fault.refuse_seconds > 0,
        "a request is either read slowly or refused, not both",
    ),
    (
        lambda rule: _goes_on_after_reset(rule.fault),
        "the connection ends before the request is read, so nothing else can happen to it",
    ),
    (
        lambda rule: _answered_otherwise(rule.fault) and rule.fault.effect is None,
        "with another answer than the service's own, say whether it was done: effect all, none, first or late",
    ),
    (lambda rule: _ambiguous_part(rule.fault), "effect takes exactly one of first and late"),
    (lambda rule: _ambiguous_process(rule.fault.signal), "signal takes exactly one of pid and pid_file"),
    (
        lambda rule: _shapes_lost(rule.fault),
        "elements and reject change the service's own answer, so the answer's body must be normal, cut or huge",
    ),
    (
        lambda rule: (
            isinstance(rule.fault.answer, FaultAnswer)
            and (rule.fault.answer.body == "text") is (rule.fault.answer.text is None)
        ),
        'an answer\'s text and its body "text" go together',
    ),
    (
        lambda rule: (
            isinstance(rule.fault.answer, FaultAnswer)
            and (rule.fault.answer.body == "huge") is (rule.fault.answer.megabytes is None)
        ),
        'an answer\'s megabytes and its body "huge" go together',
    ),
    (
        lambda rule: (
            isinstance(rule.fault.answer, FaultAnswer)
            and rule.fault.answer.gzip
            and rule.fault.answer.body in ("huge", "flood", "drip")
        ),
        "huge and never-ending answers are not compressed",
    ),
)
