"""One line of the doctor's report."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["ok", "warning", "problem", "unknown"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at and what was found. `advice` says what to do; `account` is "" for what concerns all of them.

    "unknown": it cannot be told without sending something, or was not looked at.
    """

    name: str
    state: State
    message: str
    advice: str = ""
    account: str = ""
