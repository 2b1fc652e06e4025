"""syncengine.yaml as typed values. Defaults are the documented ones; they suit a service that publishes no limits."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Placement = Literal["header", "body", "both"]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pace and patience. Times are in seconds."""

    requests_per_second: float = 5.0
    concurrency: int = 1
    leads_per_request: int = 50
    irreversible_per_request: int = 10
    financials_per_request: int = 1
    timeout: float = 30.0
    attempts: int = 5
    max_wait: float = 120.0
    settle: float = 60.0


class Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How requests are written where the service's revisions differ."""

    leads_key: Placement = "header"
    financials_key: Placement = "body"
    financials_ids: Literal["number", "string"] = "number"
    deliveries: Literal["together", "one_by_one"] = "together"
    refusals: Literal["parts", "whole"] = "parts"


class FieldRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields shown unmasked, and whether an empty text may be sent."""

    public: tuple[str, ...] = ()
    allow_empty: bool = False


class Reads(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether plan may read current values from the service."""

    leads: bool = False


class EnvKey(msgspec.Struct, frozen=True):
    """The API key is the value of an environment variable."""

    name: str


class FileKey(msgspec.Struct, frozen=True):
    """The API key is the content of a file (path absolute, resolved)."""

    path: str


KeyReference = EnvKey | FileKey


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One LeadByte account. `identity` is the name in every operation id: the old name where `was` gives one."""

    name: str
    identity: str
    base_url: str
    host: str
    """Host as the ledger records it: lower case, with the port unless it is loopback ("loopback")."""
    hosts: tuple[str, ...] = ()
    was: str | None = None
    api_key: KeyReference | None = None
    limits: Limits = Limits()
    wire: Wire = Wire()
    reads: Reads = Reads()
    deliveries: dict[str, str] = {}
    buyers: dict[str, str] = {}
    fields: FieldRules = FieldRules()
    lead_schema: str | None = None
    """Absolute path of the JSON Schema that every rendered update must satisfy."""
    line: int = 0

    @property
    def is_loopback(self) -> bool:
        """Whether requests stay on this machine."""
        return self.host == "loopback"


class LedgerPin(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger that an account's configuration names. `position` is the lowest acceptable one ("ID@1834")."""

    url: str = "sqlite:///.syncengine/ledger.db"
    id: str | None = None
    position: int | None = None
    values: Literal["digest", "plain"] = "digest"
    key_path: str = ".syncengine/ledger.key"
    """Absolute once parsed."""


class StopRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a run gives up: percent of answered entries that were rejected, or unanswered requests in a row."""

    rejected_percent: float = 100.0
    after: int = 20
    unanswered: int = 5


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Guardrails. `digest` covers every rule and the signers; `rules` keeps each rule's own mapping and line."""

    allow_negative: bool = False
    repeat_trigger: Literal["block", "allow"] = "block"
    repeat_reprocess: Literal["block", "allow"] = "block"
    waves: tuple[int, ...] = ()
    stop_when: StopRule = StopRule()
    rules: dict[str, Any] = {}
    """The other rules of the policy section as plain text and numbers, by name."""
    lines: dict[str, int] = {}
    file: str = ""
    digest: str = ""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """A whole syncengine.yaml. `root` is the repository: sources and schemas cannot leave it."""

    file: str
    root: str
    accounts: dict[str, Account]
    ledger: LedgerPin
    policy: Policy
    ledger_line: int = 0
