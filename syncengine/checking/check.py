"""One line of the doctor's report."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["ok", "warning", "problem", "unknown"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What was checked, and the result. `advice` says what to do; `account` is "" for checks that concern all accounts.

    "unknown": the answer would require sending something, or the check was skipped.
    """

    name: str
    state: State
    message: str
    advice: str = ""
    account: str = ""
