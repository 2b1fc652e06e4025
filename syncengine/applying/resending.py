"""When a request is sent again, and how long to wait before. `core/outcomes.py` decides what may be sent again."""

from __future__ import annotations

from collections.abc import Callable

from syncengine.applying.jobs import Job
from syncengine.core.outcomes import Judgement
from syncengine.core.settings import Limits

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 30.0


def jobs_again(job: Job, judgement: Judgement, limits: Limits, *, now: float, random: Callable[[], float]) -> list[Job]:
    """The requests that follow an answer: none where nothing may be sent again or all attempts are used up.

    `now` is monotonic, in seconds; `random` returns a number from 0 to 1.
    """
    if not judgement.backoff:
        return [Job(resend.entries, tries=job.tries) for resend in judgement.again]
    tries = job.tries + 1
    if not judgement.again or tries >= limits.attempts:
        return []
    not_before = now + backoff(tries, limits.max_wait, random())
    return [Job(resend.entries, tries=tries, not_before=not_before) for resend in judgement.again]


def backoff(tries: int, max_wait: float, chance: float) -> float:
    """Seconds to wait before a request is sent again after `tries` sends; `chance` is from 0 to 1."""
    # No retry library: those sleep, and the thread that decides must not sleep while other answers wait to be recorded.
    return min(_FIRST_DELAY * 2.0 ** (tries - 1), _LONGEST_DELAY, max_wait) * (0.5 + chance)
