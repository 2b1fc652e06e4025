"""Searches at the account's pace, asked again where no answer came, and split where a request was refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from syncengine.applying.pace import LocalPace
from syncengine.applying.resending import backoff
from syncengine.core.errors import InputError, LookupStopped
from syncengine.core.ports import Clock
from syncengine.core.settings import Account
from syncengine.leadbyte.search import (
    By,
    LeadSearcher,
    NoAnswer,
    SearchDenied,
    SearchesAnswered,
    SearchMoved,
    SearchRefused,
    SearchResult,
    UnclearAnswer,
)

_MOST_IN_A_ROW = 5
"""Searches without a usable answer after which it is the service that is at fault, and no value."""

_GOES_ON = "the same command goes on from what was answered"


class UselessAnswer(UnclearAnswer, frozen=True):
    """Nothing that can be used came back for one search, although others may be answered."""


class Asker:
    """Asks for values of one campaign. `known` says that an earlier process got answers already."""

    def __init__(
        self,
        searcher: LeadSearcher,
        account: Account,
        clock: Clock,
        *,
        campaign: str,
        by: By,
        known: bool,
        wait: Callable[[float], object],
        chance: Callable[[], float],
    ) -> None:
        self._searcher = searcher
        self._account = account
        self._clock = clock
        self._campaign = campaign
        self._by = by
        self._wait = wait
        self._chance = chance
        self._pace = LocalPace(account.limits.requests_per_second)
        self._answered = known
        self._turned = 0

    @property
    def requests(self) -> int:
        """How many requests this process sent."""
        return self._searcher.requests

    def ask(self, values: Sequence[str]) -> list[SearchResult]:
        """One result for each value. Raises LookupStopped, or InputError where the campaign is not known."""
        reply = self._reply(values)
        if isinstance(reply, SearchesAnswered):
            self._answered = True
            self._turned = 0
            return list(reply.results)
        if len(values) > 1:
            # One of them may be what the service cannot take; or it takes fewer in a request.
            middle = (len(values) + 1) // 2
            return [*self.ask(values[:middle]), *self.ask(values[middle:])]
        if isinstance(reply, SearchRefused):
            self._refuse_campaign(reply)
        self._turned += 1
        if self._turned >= _MOST_IN_A_ROW:
            raise LookupStopped(
                f"{self._turned} searches in a row came to nothing: {reply.reason}",
                hint=f"once that is over, {_GOES_ON}",
            )
        return [UselessAnswer(reply.reason)]

    def finish(self) -> None:
        """Called behind the last row. Raises LookupStopped where no search was ever answered."""
        if self._turned and not self._answered:
            raise LookupStopped("no search was answered", hint=f"'syncengine doctor' tells what is wrong; {_GOES_ON}")

    def _reply(self, values: Sequence[str]) -> SearchesAnswered | SearchRefused | NoAnswer:
        limits = self._account.limits
        tries = 0
        while True:
            self._wait_for_turn()
            reply = self._searcher.search(self._campaign, self._by, values)
            tries += 1
            match reply:
                case SearchesAnswered() | SearchRefused():
                    return reply
                case SearchDenied():
                    raise self._denied(reply)
                case SearchMoved():
                    raise LookupStopped(
                        f"{self._account.base_url} answers with a redirect ({reply.reason}), which is not followed: "
                        "the API key would go with it",
                        hint=f"correct base_url of account {self._account.name}",
                    )
                case NoAnswer(garbled=True) if tries >= limits.attempts:
                    return reply
                case NoAnswer():
                    self._hold(reply, tries)

    def _wait_for_turn(self) -> None:
        delay = self._pace.delay(self._clock.monotonic())
        if delay > 0:
            self._wait(delay)
        self._pace.left(self._clock.monotonic())

    def _hold(self, reply: NoAnswer, tries: int) -> None:
        """Let nothing leave for a while. Raises LookupStopped where tries or patience are used up."""
        limits = self._account.limits
        if tries >= limits.attempts:
            raise LookupStopped(
                f"a search was sent {tries} times and not answered: {reply.reason}", hint=f"later, {_GOES_ON}"
            )
        if reply.retry_after is not None and reply.retry_after > limits.max_wait:
            raise LookupStopped(
                f"the service asks to wait {reply.retry_after:g} s, over max_wait ({limits.max_wait:g} s)",
                hint=f"wait that long; {_GOES_ON}",
            )
        delay = backoff(tries, limits.max_wait, self._chance()) if reply.retry_after is None else reply.retry_after
        self._pace.hold(self._clock.monotonic() + delay)

    def _denied(self, reply: SearchDenied) -> LookupStopped:
        return LookupStopped(
            f"the service does not let this key search for leads: {reply.reason}",
            code="SE522",
            hint=f"tick Leads > Search for the API key of account {self._account.name}; it must be an administrator's "
            f"key. Then {_GOES_ON}",
        )

    def _refuse_campaign(self, reply: SearchRefused) -> None:
        if not self._answered and (reply.status == 404 or "campaign" in reply.reason.lower()):
            raise InputError(
                f"the service refuses to search campaign {self._campaign}: {reply.reason}",
                code="SE526",
                hint="--campaign ID: the number that LeadByte shows beside the campaign's name",
            )
