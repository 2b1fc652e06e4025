"""API keys and the permissions of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from syncengine.sandbox.entities import Json, ReceivedRequest, Reply, failure

# The two keys of the vendor's help article: public examples, valid on a sandbox only.
ARTICLE_UPDATE_KEY = "cb266b24ef4a5d123s42ca5801431120"
ARTICLE_FINANCIALS_KEY = "822acf66313a480c9fde66d8fce8fb7f"


class Permission(StrEnum):
    UPDATE = "update"
    REPROCESS = "reprocess"
    FINANCIALS = "financials"
    QUARANTINE = "quarantine"
    SEARCH = "search"
    RETURN = "return"

    @property
    def label(self) -> str:
        """The label of the tick box in the service's own settings."""
        return _LABELS[self]


_LABELS = {
    Permission.UPDATE: "Leads > Update",
    Permission.REPROCESS: "Leads > Reprocess",
    Permission.FINANCIALS: "Leads > Update Payout/Revenue",
    Permission.QUARANTINE: "Quarantine > Process",
    Permission.SEARCH: "Leads > Search",
    Permission.RETURN: "Leads > Return",
}
ALL_PERMISSIONS = frozenset(Permission)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key. A revoked key is known, and refused with a message of its own."""

    text: str
    permissions: frozenset[Permission] = ALL_PERMISSIONS
    revoked: bool = False


DEFAULT_KEYS = (Key(text=ARTICLE_UPDATE_KEY), Key(text=ARTICLE_FINANCIALS_KEY))


def parse_key(text: str) -> Key:
    """Parse `KEY`, `KEY:update,financials` or `KEY:revoked`. A key without a list has every permission.

    Raises ValueError naming a permission that does not exist.
    """
    key, colon, names = text.partition(":")
    if not key:
        raise ValueError("a sandbox key needs a text before the colon, as in demo-key:update,financials")
    if not colon:
        return Key(text=key)
    if names == "revoked":
        return Key(text=key, revoked=True)
    return Key(text=key, permissions=frozenset(_permission(name) for name in names.split(",") if name))


def _permission(name: str) -> Permission:
    try:
        return Permission(name.strip())
    except ValueError:
        known = ", ".join(sorted(Permission))
        raise ValueError(f"unknown permission {name.strip()!r} of a sandbox key; there are: {known}") from None


class KeyRing:
    """The accepted keys and their permissions. Raises ValueError for two keys with one text."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys: dict[str, Key] = {}
        for key in keys:
            if key.text in self._keys:
                raise ValueError("two sandbox keys have the same text: leave one of them out")
            self._keys[key.text] = key

    def admit(self, request: ReceivedRequest, document: Json) -> Key | Reply:
        """The key of a request (header X_KEY, else `key` in body or query), or the error answer that refuses it."""
        text = sent_key(request, document)
        if text is None:
            return failure(401, 'No API key: send it as header X_KEY or as "key" in the body')
        key = self._keys.get(text)
        if key is None:
            return failure(401, "Invalid API key")
        if key.revoked:
            return failure(401, "This API key has been revoked")
        return key


def sent_key(request: ReceivedRequest, document: Json) -> str | None:
    """The key of a request, from whichever place carries it."""
    in_header = request.headers.get("x_key")
    if in_header is not None:
        return in_header
    in_body = document.get("key") if isinstance(document, dict) else None
    return in_body if isinstance(in_body, str) else request.query.get("key")


def missing_permission(key: Key, needed: Iterable[Permission]) -> Reply | None:
    """A 403 that names the first permission the key lacks, or None."""
    for permission in needed:
        if permission not in key.permissions:
            return failure(403, f"This API key lacks the permission {permission.label} ({permission.value})")
    return None
