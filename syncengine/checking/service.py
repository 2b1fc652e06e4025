"""Checks of the service by harmless requests: reachable, its clock, whether it receives and accepts the key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from syncengine.checking.check import Check, State
from syncengine.core.errors import SyncError
from syncengine.core.operations import SPECS
from syncengine.core.ports import Clock
from syncengine.core.settings import Account, EnvKey, FileKey
from syncengine.leadbyte import Secret, resolve_key
from syncengine.leadbyte.probes import UNKNOWN_LEAD_PATH, Probe, ProbeAnswer, ProbeFailure

SKEW_WARNING = 30.0
SKEW_PROBLEM = 300.0
"""Maximum difference between the clocks, in seconds."""

_NO_KEY = re.compile(r"\b(no|missing)\b.{0,12}\bkey\b|\bkey\b.{0,12}\b(missing|required)\b", re.IGNORECASE)
_PERMISSIONS = list(dict.fromkeys(spec.permission for spec in SPECS.values()))
_SENDING = f"{', '.join(_PERMISSIONS[:-1])} and {_PERMISSIONS[-1]}"


def key_of(account: Account, environ: Mapping[str, str]) -> tuple[Secret | None, Check]:
    """The account's API key, and whether it is present; it is never shown."""
    heard: list[str] = []
    try:
        key = resolve_key(account.api_key, environ, account=account.name, warn=heard.append)
    except SyncError as error:
        return None, Check(
            name="api key", account=account.name, state="problem", message=error.message, advice=error.hint
        )
    match account.api_key:
        case EnvKey(name=name):
            where = f"environment variable {name}"
        case FileKey(path=path):
            where = path
        case None:
            where = "nowhere"
    if heard:
        return key, Check(
            name="api key", account=account.name, state="warning", message=heard[0], advice="close it to others"
        )
    return key, Check(name="api key", account=account.name, state="ok", message=f"it is in {where}")


def service_checks(account: Account, key: Secret | None, clock: Clock, *, ca_file: str | None) -> Iterator[Check]:
    """Connection, clock, key and read access. Opens one connection; reads no lead and changes nothing."""
    try:
        probe = Probe(account, key, clock, ca_file=ca_file)
    except SyncError as error:
        yield Check(name="connection", account=account.name, state="problem", message=error.message, advice=error.hint)
        return
    with probe:
        yield from _Examination(account, probe, clock, has_key=key is not None).checks()


class _Examination:
    def __init__(self, account: Account, probe: Probe, clock: Clock, *, has_key: bool) -> None:
        self._account = account
        self._probe = probe
        self._clock = clock
        self._has_key = has_key

    def checks(self) -> Iterator[Check]:
        first = self._probe.ask(UNKNOWN_LEAD_PATH, "header" if self._has_key else "none")
        if isinstance(first, ProbeFailure):
            yield self._check(
                "connection",
                "problem",
                f"{self._account.base_url} cannot be reached: {first.reason}",
                "check base_url, the network and, for a certificate of your own, SYNCENGINE_CA_FILE",
            )
            return
        yield self._connection(first)
        yield self._time(first)
        if not self._has_key or 300 <= first.status <= 399:
            return
        asked = self._probe.ask(UNKNOWN_LEAD_PATH, "query") if self._account.reads.leads else None
        by_query = asked if isinstance(asked, ProbeAnswer) else None
        yield self._key(first, by_query)
        yield self._reading(by_query)
        yield self._check(
            "sending",
            "unknown",
            f"whether the key may do {_SENDING} cannot be known without sending something",
            "look at the key's permissions in the service's API settings; a missing one stops a run before anything is "
            "done (HTTP 401 or 403)",
        )

    def _check(self, name: str, state: State, message: str, advice: str = "") -> Check:
        return Check(name=name, account=self._account.name, state=state, message=message, advice=advice)

    def _connection(self, heard: ProbeAnswer) -> Check:
        where = self._account.base_url
        if 300 <= heard.status <= 399:
            return self._check(
                "connection",
                "problem",
                f"{where} answers with a redirect (HTTP {heard.status}), which is never followed",
                "let base_url name the address that it leads to",
            )
        if heard.document is None or heard.status >= 500:
            return self._check(
                "connection",
                "warning",
                f"{where} answers with HTTP {heard.status} and no JSON: is it the service's address?",
                "compare base_url with the address of the account's REST API",
            )
        return self._check("connection", "ok", f"{where} answers")

    def _time(self, heard: ProbeAnswer) -> Check:
        try:
            theirs = parsedate_to_datetime(heard.date)
        except ValueError:
            return self._check("clock", "unknown", "the service does not say what time it is")
        theirs = theirs.replace(tzinfo=UTC) if theirs.tzinfo is None else theirs
        skew = (datetime.fromisoformat(self._clock.now()) - theirs).total_seconds()
        words = f"this machine's clock is {abs(skew):,.0f} s {'ahead of' if skew > 0 else 'behind'} the service's"
        advice = "set the clock (NTP): windows, budgets, approvals and the ledger's times depend on it"
        if abs(skew) >= SKEW_PROBLEM:
            return self._check("clock", "problem", words, advice)
        if abs(skew) >= SKEW_WARNING:
            return self._check("clock", "warning", words, advice)
        return self._check("clock", "ok", "this machine's clock and the service's agree")

    def _key(self, by_header: ProbeAnswer, by_query: ProbeAnswer | None) -> Check:
        if self._account.wire.leads_key == "body":
            return self._by_body(by_query)
        if by_header.status != 401:
            return self._check("key", "ok", "the service knows the key, and the header X_KEY arrives")
        known = by_query is not None and by_query.status != 401
        if known or _NO_KEY.search(by_header.words):
            return self._header_dropped(by_header, known=known)
        refused = f"the service refuses the key (HTTP 401: {by_header.words})"
        return self._check(
            "key", "problem", refused, "copy the key again from the service's API settings; is it for this account?"
        )

    def _header_dropped(self, by_header: ProbeAnswer, *, known: bool) -> Check:
        proof = ", and knows the same key in a query" if known else ""
        message = (
            f"the header X_KEY does not arrive: the service answers {by_header.words!r}{proof}. Some proxies drop "
            "header names with an underscore; nginx does unless configured otherwise"
        )
        if self._account.wire.leads_key != "header":
            advice = "nothing is to be done: wire.leads_key sends the key in the body as well"
            return self._check("key", "warning", message, advice)
        advice = (
            "on a proxy of your own: `underscores_in_headers on;` (nginx). Otherwise send the key in the body as "
            "well: `wire: {leads_key: both}`"
        )
        return self._check("key", "problem", message, advice)

    def _by_body(self, by_query: ProbeAnswer | None) -> Check:
        if by_query is None:
            return self._check("key", "unknown", "wire.leads_key sends it in the body, which only a change would show")
        if by_query.status == 401:
            return self._check(
                "key",
                "problem",
                f"the service refuses the key (HTTP 401: {by_query.words})",
                "copy the key again from the service's API settings",
            )
        return self._check("key", "ok", "the service knows the key")

    def _reading(self, by_query: ProbeAnswer | None) -> Check:
        if not self._account.reads.leads:
            return self._check(
                "reading",
                "unknown",
                "reads.leads is off, so it was not tried",
                "with `reads: {leads: true}` and the permission Leads > Search, values can be read",
            )
        if by_query is None:
            return self._check("reading", "unknown", "the service did not answer when it was asked as reads are")
        if by_query.status in (401, 403):
            return self._check(
                "reading",
                "problem",
                f"reads.leads is on, but this key may not read (HTTP {by_query.status}: {by_query.words})",
                "tick Leads > Search for the key, or set `reads: {leads: false}`",
            )
        if by_query.status >= 500:
            return self._check("reading", "warning", f"the service answers with HTTP {by_query.status}", "try again")
        return self._check("reading", "ok", "the key may read leads")
