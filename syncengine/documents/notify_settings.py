"""The notify section: destinations of the message at the end of a command."""

from __future__ import annotations

import re

from syncengine.core.settings import NOTIFY_REASONS, Notify
from syncengine.documents.nodes import Mapping
from syncengine.documents.section import ConfigurationProblems, scalars, section, texts

_VARIABLE = re.compile(r"env:(SYNCENGINE_NOTIFY_[A-Z0-9_]+)", re.ASCII)
_FORM = "write env:SYNCENGINE_NOTIFY_URL, and set that variable to the address"


def notify_of(root: Mapping, findings: ConfigurationProblems) -> Notify:
    """The destinations. A URL may hold a password, so the settings hold only a reference to it."""
    node = section(root, "notify")
    found: list[str] = []
    for item in scalars(node, "urls"):
        match = _VARIABLE.fullmatch(item.text)
        if match is None:
            findings.add("SE558", "an address of notify.urls is not env:SYNCENGINE_NOTIFY_...", item, _FORM)
        else:
            found.append(match[1])
    on = tuple(reason for reason in texts(node, "on") if reason in NOTIFY_REASONS)
    return Notify(variables=tuple(dict.fromkeys(found)), on=on or Notify().on)
