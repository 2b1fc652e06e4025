"""The one place that writes: results to stdout, everything else to stderr.

A reader that goes away never raises: a command that is changing leads must not die because a pager was closed.
Imports that only writing needs are inside the functions that need them: every command, `--help` too, loads this module.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, TextIO, cast

if TYPE_CHECKING:
    from syncengine.core.log_commands import Syntax

LogFormat = Literal["text", "json"]
Level = Literal["debug", "info", "warning", "error"]
Style = Literal["bold", "dim", "red", "green", "yellow", "blue", "cyan"]

_STYLES: dict[Style, str] = {
    "bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36",
}  # fmt: skip


def utc_now() -> str:
    """UTC, ISO 8601 with milliseconds."""
    from datetime import UTC, datetime

    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _GuardedStream:
    """A text stream whose reader may vanish or whose disk may fill up.

    It may end in a build log, so that nothing passes which the machine behind one would obey.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._line = ""
        self.trouble = ""
        """Why a write was lost, empty where none was. A closed pipe is no trouble: its reader did not want the rest."""

    def write(self, text: str, syntax: Syntax = "text") -> None:
        """Write and flush."""
        if self._stream is None:
            return
        from syncengine.core.log_commands import begun, broken

        text = broken(text, syntax, line=self._line)
        self._line = begun(self._line, text)
        try:
            self._stream.write(text)
        except OSError as error:
            self._give_up(error)
        self.flush()

    def flush(self) -> None:
        """Let everything leave that was written, by others too."""
        if self._stream is None:
            return
        try:
            self._stream.flush()
        except OSError as error:
            self._give_up(error)

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._stream is not None and self._stream.isatty()

    def columns(self) -> int:
        """Columns of the terminal that it is; 0 where it is none."""
        if self._stream is None:
            return 0
        with suppress(OSError, ValueError):
            return os.get_terminal_size(self._stream.fileno()).columns
        return 0

    def rows(self) -> int:
        """Lines of the terminal that it is; 0 where it is none."""
        if self._stream is None:
            return 0
        with suppress(OSError, ValueError):
            return os.get_terminal_size(self._stream.fileno()).lines
        return 0

    @property
    def encoding(self) -> str:
        """As the stream says."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def _give_up(self, error: OSError) -> None:
        """Discard later writes, and the interpreter's own flush at exit."""
        if not isinstance(error, BrokenPipeError):
            self.trouble = error.strerror or type(error).__name__
        stream, self._stream = self._stream, None
        if stream is None:
            return
        with suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)


class Output:
    """Standard output and standard error of one command.

    `log_format` json turns everything on stderr into JSON Lines: {"time", "level", "verb", "event"} and more keys.
    """

    def __init__(
        self,
        *,
        stdout: TextIO | None,
        stderr: TextIO | None,
        environ: Mapping[str, str],
        now: Callable[[], str] = utc_now,
    ) -> None:
        self._stdout = _GuardedStream(stdout)
        self._stderr = _GuardedStream(stderr)
        self._environ = environ
        self._now = now
        self.log_format: LogFormat = "text"
        self.log_level: Level = "warning"
        self.command = ""
        self.print_above: Callable[[str], None] | None = None
        """Set while a progress bar is up: writes plain text above it."""

    @classmethod
    def of_process(cls) -> Output:
        """The standard streams, made unable to fail on a character their encoding lacks."""
        for stream in (sys.stdout, sys.stderr):
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:
                reconfigure(errors="backslashreplace")
        return cls(stdout=sys.stdout, stderr=sys.stderr, environ=os.environ)

    # What the terminal can do

    @property
    def width(self) -> int:
        """Columns to lay text out for: behind a pager, those of the terminal that stderr still is."""
        import shutil

        return shutil.get_terminal_size((self._stderr.columns() or 100, 24)).columns

    @property
    def colour(self) -> bool:
        """Whether results may be coloured."""
        return self._coloured(self._stdout)

    @property
    def stderr_colour(self) -> bool:
        """Whether notes and errors may be coloured."""
        return self._coloured(self._stderr)

    @property
    def animated(self) -> bool:
        """Whether stderr is a terminal on which a progress bar may move."""
        return self._stderr.isatty() and self.log_format == "text" and self._environ.get("TERM", "") != "dumb"

    @property
    def lost(self) -> str:
        """Why a result could not be written, empty where everything was."""
        return self._stdout.trouble

    def _coloured(self, stream: _GuardedStream) -> bool:
        if self._environ.get("NO_COLOR") or self._environ.get("TERM") == "dumb":
            return False
        return stream.isatty()

    def finish(self) -> None:
        """Let what is still buffered leave, before the interpreter does it with less care."""
        self._stdout.flush()
        self._stderr.flush()

    # Results

    def result(self, text: str) -> None:
        """A result as text; ends with one newline."""
        self._stdout.write(_safe(text, styled=self.colour).rstrip("\n") + "\n")

    def paged(self, lines: Iterable[str]) -> None:
        """A result line by line; on a terminal that it does not fit, through the user's pager."""
        if not self._stdout.isatty() or self._environ.get("TERM", "") in ("", "dumb"):
            for line in lines:
                self.result(line)
            return
        from syncengine.cli.pager import page

        told = [_safe(line, styled=self.colour).rstrip("\n") for line in lines]
        self._stdout.flush()
        if not page(told, self._environ, height=self._stdout.rows()):
            for line in told:
                self.result(line)

    def verbatim(self, text: str, syntax: Syntax = "text") -> None:
        """A result that is a document of its own (Markdown, HTML, CSV, SARIF): readers of its `syntax` read what
        it says, character by character; in text, orders to a CI runner are broken by a space."""
        self._stdout.write(text if text.endswith("\n") else text + "\n", syntax)

    def piece(self, text: str, syntax: Syntax = "text") -> None:
        """A part of such a document: no line end is added."""
        self._stdout.write(text, syntax)

    def json(self, document: Any) -> None:
        """A result as one JSON document on one line; msgspec structs are fine anywhere inside."""
        self._stdout.write(self._encoded(document) + "\n", "json")

    # Everything else

    def note(self, text: str) -> None:
        """Something worth knowing that is not the result."""
        self._say("info", "note", text, text)

    def warning(self, text: str) -> None:
        """Something to look at before going on."""
        self._say("warning", "warning", text, f"{self.styled('warning:', 'yellow')} {text}")

    def error(self, code: str, message: str, hint: str = "") -> None:
        """Why the command failed, and what to do next."""
        if self.log_format == "json":
            self.log_line({"level": "error", "event": "error", "code": code, "message": message, "hint": hint})
            return
        lines = [f"{self.styled(f'error {code}:', 'red')} {message}"]
        if hint:
            lines.append(f"{self.styled('hint:', 'cyan')} {hint}")
        self.text_line("\n".join(lines))

    def styled(self, text: str, *styles: Style) -> str:
        """`text` in a style for stderr, plain where stderr has no colour."""
        if not self.stderr_colour:
            return text
        return f"\x1b[{';'.join(_STYLES[style] for style in styles)}m{text}\x1b[0m"

    def text_line(self, text: str) -> None:
        """A line, or several, on stderr."""
        if self.log_format == "json":
            self.log_line({"level": "info", "event": "note", "message": text})
            return
        if self.print_above is not None:
            self.print_above(_safe(text, styled=False).rstrip("\n") + "\n")
            return
        self._stderr.write(_safe(text, styled=self.stderr_colour).rstrip("\n") + "\n")

    def stderr_file(self) -> TextIO:
        """Standard error as a file that never raises, for a progress bar to draw on."""
        return cast("TextIO", self._stderr)

    def log_line(self, record: Mapping[str, Any]) -> None:
        """A JSON line on stderr, with time and command; keys with empty texts are left out."""
        full = {"time": self._now(), "verb": self.command, **record}
        self._stderr.write(self._encoded({key: value for key, value in full.items() if value != ""}) + "\n", "json")

    def _say(self, level: str, event: str, message: str, text: str) -> None:
        if self.log_format == "json":
            self.log_line({"level": level, "event": event, "message": message})
        else:
            self.text_line(text)

    def _encoded(self, document: Any) -> str:
        import json

        return json.dumps(document, ensure_ascii=not _is_utf8(self._stdout.encoding), default=_plain)


def _safe(text: str, *, styled: bool) -> str:
    from syncengine.cli.terminal import safe

    return safe(text, styled=styled)


def _is_utf8(encoding: str) -> bool:
    return encoding.lower().replace("-", "") == "utf8"


def _plain(value: Any) -> Any:
    import msgspec

    return msgspec.to_builtins(value)
