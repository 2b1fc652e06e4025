"""The tree of exceptions, with stable codes and exit codes.

SyncError
├── InputError            what the user wrote or pointed at is wrong          exit 1   SE1xx to SE5xx, SE9xx
│   └── ConfigError       syncengine.yaml or the environment is wrong         exit 1   SE5xx
├── Refusal               well-formed, but must not be applied                exit 3   SE6xx
│   ├── AlteredPlan       the plan file is not the one that was written
│   ├── StalePlan         the ledger changed after planning
│   ├── PlanBlocked       policy, repeats or expectations stop it
│   ├── NotApproved       approvals are missing
│   │   └── TooFewApprovals   fewer people approved than the policy asks for
│   ├── WrongLedger       the ledger, host or account is not the one pinned
│   └── LeaseHeld         another process is applying
├── LookupStopped         the service ended a lookup; nothing was changed     exit 4   SE522, SE523
└── LedgerTrouble         the ledger failed while in use                      exit 1, or 4 and 5 once a run began
    ├── LedgerDamaged     the ledger's records cannot be relied on            exit 3, or 4 and 5 once a run began
    └── LeaseLost         another runner took over; nothing new may be sent

A Problem is an error in a file; readers collect problems and continue. An exception means that the command cannot
continue.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Literal

import msgspec

Severity = Literal["error", "warning", "note"]


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    INPUT = 1
    CHANGES = 2
    REFUSED = 3
    INCOMPLETE = 4
    IN_DOUBT = 5
    WAITING = 6
    INTERRUPTED = 130


EXIT_WORDS = {
    Exit.DONE: "done, or nothing to do",
    Exit.INPUT: "wrong input, configuration, usage or environment; nothing was sent",
    Exit.CHANGES: "`plan --detailed-exitcode`: there are operations to send",
    Exit.REFUSED: "refused; nothing was sent",
    Exit.INCOMPLETE: "incomplete: some operations were rejected, or not sent",
    Exit.IN_DOUBT: "in doubt: at least one operation's outcome is unknown",
    Exit.WAITING: "`apply DIR`: plans wait for approvals; everything else is done",
    Exit.INTERRUPTED: "interrupted; what was sent is on record",
}
"""The meaning of each code, as README and the manual page print it."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One error or warning about a file, with its location.

    `line` and `column` count from 1 (column in characters); 0 means "the file as a whole". `row` is the data row of a
    source, from 1, header excluded. `excerpt` is the offending line, for the caret.
    """

    code: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    row: int | None = None
    hint: str = ""
    severity: Severity = "error"
    excerpt: str = ""


class SyncError(Exception):
    """Root of the tree: `str()` is one sentence that says what happened and where; `hint` says what to do next."""

    exit: Exit = Exit.INPUT
    code: str = "SE900"

    def __init__(
        self, message: str, *, code: str | None = None, hint: str = "", problems: Sequence[Problem] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.problems = tuple(problems)
        if code is not None:
            self.code = code

    def extend(self, more: str) -> None:
        """Add to the message; nothing where `more` is empty."""
        if more:
            self.message = f"{self.message}; {more}"
            self.args = (self.message,)


class InputError(SyncError):
    """A file, option or value is wrong; nothing was sent."""

    code = "SE100"


class ConfigError(InputError):
    """syncengine.yaml, or the environment it names, is wrong; nothing was sent."""

    code = "SE500"


class Refusal(SyncError):
    """The input is well-formed but must not be applied; nothing was sent."""

    exit = Exit.REFUSED
    code = "SE600"


class AlteredPlan(Refusal):
    """The plan file differs from the plan that was written."""

    code = "SE610"


class StalePlan(Refusal):
    """The ledger recorded something new about a lead of the plan since planning."""

    code = "SE620"


class PlanBlocked(Refusal):
    """Policy, a repeat or an unmet expectation stops the plan."""

    code = "SE630"


class NotApproved(Refusal):
    """The plan lacks approvals that the policy asks for."""

    code = "SE640"


class TooFewApprovals(NotApproved):
    """`needed` people must approve the plan, and only `given` did. `left_out` names each signature that did not count,
    with the reason."""

    def __init__(
        self,
        message: str,
        *,
        hint: str,
        needed: int,
        given: Sequence[str],
        left_out: Sequence[tuple[str, str]],
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(message, hint=hint, problems=problems)
        self.needed = needed
        self.given = tuple(given)
        self.left_out = tuple(left_out)


class WrongLedger(Refusal):
    """This ledger, host or account is not the one that the configuration pins."""

    code = "SE650"


class LeaseHeld(Refusal):
    """Another process holds the lease of this account."""

    code = "SE660"


class LookupStopped(SyncError):
    """A lookup ended before its table was complete. The answers so far are kept; only searches were sent."""

    exit = Exit.INCOMPLETE
    code = "SE523"


class LedgerTrouble(SyncError):
    """The ledger cannot be read or written: full disk, lost connection, corrupt or foreign file."""

    code = "SE700"


class LedgerLocked(LedgerTrouble):
    """Another process keeps records locked for longer than we wait."""


class LedgerDamaged(LedgerTrouble):
    """The ledger's file is damaged: operations that it does not show may have been sent."""

    exit = Exit.REFUSED
    code = "SE663"

    def __init__(self, where: str, what: str) -> None:
        super().__init__(
            f"the ledger is damaged: {where}: {what}",
            hint="restore it from a backup, then see `syncengine ledger accept-position --help`; `syncengine ledger "
            "check` shows what does not fit",
        )


class LeaseLost(LedgerTrouble):
    """Another runner took over the lease: no new intent may be committed, so nothing new may be sent."""

    code = "SE710"
