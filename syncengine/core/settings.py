"""syncengine.yaml as typed values. The defaults are the documented ones; they suit a service that publishes no
limits."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from syncengine.core.errors import Problem
from syncengine.core.operations import Kind
from syncengine.core.values import Cents

Placement = Literal["header", "body", "both"]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rates, retries and time limits. Times are in seconds."""

    requests_per_second: float = 5.0
    concurrency: int = 1
    leads_per_request: int = 50
    irreversible_per_request: int = 10
    financials_per_request: int = 1
    searches_per_request: int = 1
    timeout: float = 30.0
    attempts: int = 5
    max_wait: float = 120.0
    settle: float = 60.0


class Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Request formats that differ between revisions of the service."""

    leads_key: Placement = "header"
    financials_key: Placement = "body"
    financials_ids: Literal["number", "string"] = "number"
    deliveries: Literal["together", "one_by_one"] = "together"
    refusals: Literal["parts", "whole"] = "parts"
    returns: str = "v1.2"
    """The API version for returns."""


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
    """The ledger that an account's configuration names. `position` ("ID@1834") is the lowest acceptable one."""

    url: str = "sqlite:///.syncengine/ledger.db"
    """Paths of SQLite ledgers are absolute once parsed ("sqlite:////srv/x/ledger.db"); never shown with a password."""
    url_env: str = ""
    """The environment variable that holds the URL, where the configuration names one; `url` is "" then."""
    id: str | None = None
    position: int | None = None
    values: Literal["digest", "plain"] = "digest"
    key_path: str = ".syncengine/ledger.key"
    """Absolute once parsed."""

    @property
    def place(self) -> str:
        """The ledger's location as configured: its URL, or "env:NAME"."""
        return self.url if not self.url_env else f"env:{self.url_env}"


class StopRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Thresholds that stop a run: percent of answered entries that were rejected, or unanswered requests in a row."""

    rejected_percent: float = 100.0
    after: int = 20
    unanswered: int = 5


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A period in which a plan may be applied: on these days from `start` to `end` ("HH:MM"), local time in
    `time_zone`.

    If `end` is not after `start`, the window ends on the following day. `days` holds "mon" to "sun".
    """

    days: tuple[str, ...]
    start: str
    end: str
    time_zone: str
    line: int = 0


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """Limit on what may be sent in a calendar day or month of `time_zone`. Intents count, doubts included."""

    per: Literal["day", "month"]
    max_irreversible: int | None = None
    max_payout: Cents | None = None
    max_revenue: Cents | None = None
    max_leads: int | None = None
    time_zone: str = "UTC"
    line: int = 0


class DenyRule(msgspec.Struct, frozen=True, kw_only=True):
    """An expression over `op` and `plan`. Operations for which it is true, or fails to evaluate, are blocked with
    `message`."""

    when: str
    message: str
    line: int = 0


class ApprovalRule(msgspec.Struct, frozen=True, kw_only=True):
    """Number of people who must have signed. `when` is an expression over `plan`; "" means always.

    `allowed_signers` is the absolute path of the signers' file. `signers` is the SHA-256 of its bytes when it was read
    ("" if the file was missing).
    """

    required: int
    when: str = ""
    allowed_signers: str = ""
    signers: str = ""
    author_may_approve: bool = False
    line: int = 0


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Guardrails. None means "no limit"; an empty tuple of windows, budgets or rules means there is none.

    `digest` covers every rule and the signers. `lines` maps each rule's key to its line in `file` (path relative to
    the repository, or as given for an outside policy).
    """

    max_leads: int | None = None
    max_irreversible: int | None = None
    max_payout: Cents | None = None
    max_revenue: Cents | None = None
    max_total_payout: Cents | None = None
    max_total_revenue: Cents | None = None
    max_change_percent: Decimal | None = None
    require_before: tuple[Kind, ...] = ()
    allowed_fields: tuple[str, ...] | None = None
    denied_fields: tuple[str, ...] = ()
    allowed_deliveries: tuple[str, ...] | None = None
    """Ids or configured names, as written. Each account resolves names, so comparisons consider both."""
    allow_negative: bool = False
    repeat_trigger: Literal["block", "allow"] = "block"
    repeat_reprocess: Literal["block", "allow"] = "block"
    repeat_return: Literal["block", "allow"] = "block"
    windows: tuple[Window, ...] = ()
    budgets: tuple[Budget, ...] = ()
    waves: tuple[int, ...] = ()
    stop_when: StopRule = StopRule()
    deny: tuple[DenyRule, ...] = ()
    approvals: ApprovalRule | None = None
    findings: dict[str, Literal["block", "ignore"]] = {}
    """Setting for each finding rule: whether it blocks the plan, or is silenced."""
    lines: dict[str, int] = {}
    file: str = ""
    digest: str = ""

    def place(self, line: int | None) -> str:
        """A rule's place in texts that a plan's digest covers: the same from every working folder and on every
        machine, and so without the folders of the file."""
        name = self.file.rpartition("/")[2]
        return f"{name}:{line}" if line else name or "policy"


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """A database that SQL sources may name. Exactly one of `path` (SQLite, absolute), `dsn` and `dsn_env` is set."""

    path: str = ""
    dsn: str = ""
    dsn_env: str = ""
    line: int = 0


NOTIFY_REASONS = ("in_doubt", "stopped", "rejected", "waiting", "drift")


class Notify(msgspec.Struct, frozen=True, kw_only=True):
    """Where messages go, and what is worth one. `variables` name the environment variables that hold addresses."""

    variables: tuple[str, ...] = ()
    on: tuple[str, ...] = ("in_doubt", "stopped")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """A whole syncengine.yaml. `root` is the repository: sources and schemas cannot leave it."""

    file: str
    root: str
    accounts: dict[str, Account]
    ledger: LedgerPin
    policy: Policy
    databases: dict[str, Database] = {}
    notify: Notify = Notify()
    ledger_line: int = 0
    warnings: tuple[Problem, ...] = ()
    """Warnings about settings that are allowed but unwise, shown with other warnings."""
