"""Digests of plans, policies, wire settings and the inputs of a plan. Their values are recorded: they never change.

The plan's digest covers all that was reviewed, and an approval signs it. A digest of each input is recorded beside it,
so that a refusal can name what changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from syncengine.core.changes import ChangesetFacts
from syncengine.core.plan import PlannedOperation
from syncengine.core.settings import Account, Policy, Wire
from syncengine.core.values import PlanDigest

_NOT_RULES = {"lines", "file", "digest", "line", "allowed_signers"}
"""Fields of a policy and its rules that decide nothing. The signers' file is covered by its content, `signers`."""

CONFIGURATION, POLICY, SIGNERS, OBSERVED, LEDGER = "configuration", "policy", "signers", "observed", "ledger"


class PlanHasher:
    """The digest of a plan: its header, its lines, then what the footer covers, each as it is written to the file."""

    def __init__(self, header: bytes) -> None:
        self._hash = hashlib.sha256(header + b"\n")

    def add_lines(self, lines: bytes) -> None:
        """Complete lines, in order."""
        self._hash.update(lines)

    def finish(self, covered: bytes) -> PlanDigest:
        """The digest; nothing can be added afterwards."""
        self._hash.update(covered + b"\n")
        return PlanDigest(self._hash.hexdigest())


def policy_digest(policy: Policy) -> str:
    """SHA-256 over every rule and the signers. The file and the lines of the rules are not part of it."""
    rules = _rules(msgspec.to_builtins(policy, builtin_types=(Decimal,)))
    if not policy.findings:
        del rules["findings"]  # A policy without `findings` keeps the digest that it had before findings existed.
    return hashlib.sha256(b"syncengine-policy-1\n" + msgspec.json.encode(rules, order="deterministic")).hexdigest()


def _rules(value: Any) -> Any:
    match value:
        case dict():
            return {key: _rules(item) for key, item in value.items() if key not in _NOT_RULES}
        case list() | tuple():
            return [_rules(item) for item in value]
        case Decimal():
            return format(value.normalize(), "f")
        case None | bool():
            return value
        case _:
            return str(value)


def wire_digest(wire: Wire) -> str:
    """Digest of the wire settings that a plan covers."""
    return digest_of(wire)


def digest_of(value: object) -> str:
    """SHA-256 (hex) of a value's canonical JSON: text, lists and mappings with sorted keys; never a float."""
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def changeset_part(changeset: str) -> str:
    """Name of the part for a changeset's own document and variables."""
    return f"changeset:{changeset}"


def is_document(part: str) -> bool:
    """Whether it is the part of a changeset's own document."""
    return part.startswith(changeset_part(""))


def source_part(changeset: str, source: str) -> str:
    """Name of the part for one source."""
    return f"source:{changeset}/{source}"


def parts_of(facts: ChangesetFacts) -> dict[str, str]:
    """Digests of a changeset and of its sources."""
    declared = _digest(b"changeset", {"document": facts.digest, "vars": facts.vars})
    sources = {source_part(facts.id, name): digest for name, digest in facts.sources.items()}
    return {changeset_part(facts.id): declared, **sources}


def configuration_digest(account: Account, lead_schema: bytes | None) -> str:
    """Digest of the parts of an account's configuration that a plan depends on."""
    return _digest(
        b"configuration",
        {
            "account": [account.name, account.identity, account.host],
            "wire": msgspec.to_builtins(account.wire),
            "deliveries": account.deliveries,
            "buyers": account.buyers,
            "allow_empty": account.fields.allow_empty,
            "lead_schema": "" if lead_schema is None else hashlib.sha256(lead_schema).hexdigest(),
        },
    )


class LedgerFacts:
    """Digest of the ledger's facts about a plan's lines."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256(b"syncengine-part-ledger\n")

    def add(self, planned: PlannedOperation) -> None:
        """Add a line for which the ledger has facts."""
        self._sum.update(f"{planned.id} {planned.facts}\n".encode())

    def part(self) -> dict[str, str]:
        """The part, by name."""
        return {LEDGER: self._sum.hexdigest()}


def moved_parts(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the parts that differ."""
    return tuple(name for name in sorted({*before, *after}) if before.get(name) != after.get(name))


def parts_about(parts: Mapping[str, str], changesets: Container[str]) -> dict[str, str]:
    """The parts that belong to one of these changesets; "" among them stands for those of the plan as a whole."""
    return {name: digest for name, digest in parts.items() if _changeset_of(name) in changesets}


def _changeset_of(name: str) -> str:
    kind, _, of = name.partition(":")
    return of.partition("/")[0] if kind in ("changeset", "source") else ""


def part_in_words(name: str) -> str:
    """A part as messages call it: "changeset uplift", "source rows of uplift", "policy"."""
    kind, _, of = name.partition(":")
    if kind == "source":
        changeset, _, source = of.partition("/")
        return f"source {source} of {changeset}"
    return {OBSERVED: "the observed file", LEDGER: "ledger facts"}.get(name, f"{kind} {of}".rstrip())


def _digest(kind: bytes, value: Mapping[str, object]) -> str:
    content = msgspec.json.encode(value, order="deterministic")
    return hashlib.sha256(b"syncengine-part-" + kind + b"\n" + content).hexdigest()
