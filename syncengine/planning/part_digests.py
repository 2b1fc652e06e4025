"""A digest of each input of a plan, so that a refusal can name what changed. The plan's own digest covers them all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from syncengine.core.changes import ChangesetFacts
from syncengine.core.plan import PlannedOperation
from syncengine.core.settings import Account

CONFIGURATION, POLICY, SIGNERS, OBSERVED, LEDGER = "configuration", "policy", "signers", "observed", "ledger"


def changeset_part(changeset: str) -> str:
    """Name of the part for a changeset's own document and variables."""
    return f"changeset:{changeset}"


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
    """The parts that differ, in words: "changeset uplift", "source rows of uplift", "policy"."""
    names = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    return tuple(part_in_words(name) for name in names)


def part_in_words(name: str) -> str:
    """A part as messages call it."""
    kind, _, of = name.partition(":")
    if kind == "source":
        changeset, _, source = of.partition("/")
        return f"source {source} of {changeset}"
    return {OBSERVED: "the observed file", LEDGER: "the ledger's facts"}.get(name, f"{kind} {of}".rstrip())


def _digest(kind: bytes, value: Mapping[str, object]) -> str:
    content = msgspec.json.encode(value, order="deterministic")
    return hashlib.sha256(b"syncengine-part-" + kind + b"\n" + content).hexdigest()
