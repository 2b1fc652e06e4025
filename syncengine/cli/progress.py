"""Progress on stderr: a bar on a terminal, a line now and then elsewhere, nothing for what is done in a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from syncengine.cli.output import Output

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

_QUIET_SECONDS = 1.0
_LINE_SECONDS = 5.0


class Progress:
    """How far something has come; one thread calls it. Total 0 means that the total is not known.

    With `pace` it tells the rate, and how long the rest will take. Notes and errors written meanwhile appear above the
    bar.
    """

    def __init__(
        self,
        output: Output,
        title: str,
        total: int,
        *,
        pace: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._output = output
        self._title = title
        self._total = total
        self._pace = pace
        self._monotonic = monotonic
        self._started = monotonic()
        self._next_line = self._started + _QUIET_SECONDS
        self._done = 0
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._output.print_above = None
        if self._bar is not None:
            self._bar.stop()

    def begin(self, title: str, total: int) -> None:
        """Something else begins, of which there is so much in all; its rate counts from now."""
        self._title, self._total, self._done = title, total, 0
        self._started = self._monotonic()
        self._next_line = self._started + _QUIET_SECONDS
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=title, completed=0, total=total or None, detail="")

    def advance(self, count: int = 1, *, detail: str = "") -> None:
        """So many more are done; `detail` is a short text beside the bar."""
        self._done += count
        now = self._monotonic()
        if self._bar is not None and self._task is not None:
            self._bar.update(
                self._task, completed=self._done, total=self._total or None, detail=self._told(detail, now)
            )
            return
        if now < self._next_line:
            return
        detail = self._told(detail, now)
        if self._output.animated:
            self._open_bar(detail)
            return
        self._next_line = now + _LINE_SECONDS
        of_total = f" of {self._total:,}" if self._total else ""
        self._output.note(f"{self._title}: {self._done:,}{of_total}{', ' + detail if detail else ''}")

    def _told(self, detail: str, now: float) -> str:
        elapsed = now - self._started
        if not self._pace or elapsed <= 0 or not self._done:
            return detail
        rate = self._done / elapsed
        told = [detail] if detail else []
        told.append(f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s")
        if self._total > self._done:
            told.append(f"{_span((self._total - self._done) / rate)} left")
        return ", ".join(told)

    def _open_bar(self, detail: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        console = Console(
            file=self._output.stderr_file(), force_terminal=True, width=self._output.width,
            no_color=not self._output.stderr_colour, markup=False, highlight=False,
        )  # fmt: skip
        self._bar = Bar(
            TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[detail]}", markup=False), TimeElapsedColumn(),
            console=console, transient=True, redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        self._task = self._bar.add_task(self._title, total=self._total or None, completed=self._done, detail=detail)
        self._bar.start()
        self._output.print_above = lambda text: console.print(text, end="", soft_wrap=True)


def _span(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
