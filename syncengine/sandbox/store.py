"""The sandbox's folder: effects.jsonl records every effect, requests.jsonl every request."""

from __future__ import annotations

import base64
import errno
import fcntl
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from syncengine.sandbox.entities import Effect
from syncengine.sandbox.errors import SandboxError

EFFECTS = "effects.jsonl"
REQUESTS = "requests.jsonl"
LEADS = "leads.csv"
_LOCK = "sandbox.lock"
_PRIVATE = 0o600

_Line = TypeVar("_Line")
_Count = Annotated[int, msgspec.Meta(ge=1)]


class EffectLine(Effect, frozen=True, kw_only=True):
    """One line of effects.jsonl; the format is published as schemas/sandbox-effects.v1.schema.json."""

    seq: _Count
    at: str
    request: _Count

    def bare(self) -> Effect:
        return Effect(**{name: getattr(self, name) for name in Effect.__struct_fields__})


class RequestLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of requests.jsonl, written before its answer leaves.

    `path` is the target as it was sent, query and key included; `body` is verbatim (`body_base64` where it is not
    UTF-8). `status` is the one about to be sent, null where none is. `fault` names the rule that applied.
    """

    request: _Count
    at: str
    connection: int
    method: str
    path: str
    headers: list[tuple[str, str]]
    status: int | None
    body: str | None = None
    body_base64: str | None = None
    fault: str | None = None


class _RequestNumber(msgspec.Struct):
    request: int


def timestamp(now: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the microsecond."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def body_columns(body: bytes) -> dict[str, str]:
    """The body for a RequestLine: as text, or in base64 where it is not text."""
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}


class SandboxStore:
    """One folder, used by one sandbox at a time. Raises SandboxError where it is in use or holds other files.

    Not thread-safe: its owner serialises the calls.
    """

    def __init__(self, folder: Path, *, log_requests: bool) -> None:
        self.folder = folder
        self._seq = 0
        self.requests_before = 0
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _open(folder / _LOCK)
            _hold(self._lock, folder)
            self._effects = _open(folder / EFFECTS)
            self._requests = _open(folder / REQUESTS) if log_requests else None
        except OSError as error:
            raise SandboxError(f"cannot use the sandbox folder {folder}: {error.strerror}") from error

    def replay(self) -> Iterator[EffectLine]:
        """Every effect of earlier sandboxes in this folder, in order. Removes a last line that was cut off."""
        for line in _lines(self.folder / EFFECTS, EffectLine):
            if line.seq != self._seq + 1:
                raise SandboxError(
                    f"{self.folder / EFFECTS} is not complete: effect {self._seq + 1} is missing before {line.seq};"
                    " use an empty folder"
                )
            self._seq = line.seq
            self.requests_before = max(self.requests_before, line.request)
            yield line
        if self._requests is not None:
            numbers = (item.request for item in _lines(self.folder / REQUESTS, _RequestNumber))
            self.requests_before = max(self.requests_before, max(numbers, default=0))

    def append_effects(self, effects: Sequence[Effect], request: int, at: str) -> None:
        """Append all of them in one write, passed to the operating system before this returns. Raises OSError."""
        seq = self._seq
        lines = [_recorded(effect, seq + offset, request, at) for offset, effect in enumerate(effects, start=1)]
        _write(self._effects, lines)
        self._seq = seq + len(effects)

    def append_request(self, line: RequestLine) -> None:
        if self._requests is not None:
            _write(self._requests, [line])

    def close(self) -> None:
        for handle in (self._effects, self._requests, self._lock):
            if handle is not None:
                os.close(handle)


def _recorded(effect: Effect, seq: int, request: int, at: str) -> dict[str, object]:
    # A struct would write the inherited fields first; people read the number first.
    return {"seq": seq, "at": at, "request": request, **msgspec.to_builtins(effect)}


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags, _PRIVATE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, f"{path.name} is no ordinary file")
    return descriptor


def _hold(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise SandboxError(f"another sandbox is using {folder}: stop it, or name another folder") from None


def _write(handle: int, lines: Iterable[object]) -> None:
    """One write call, so that a reader never sees half a line unless the disk is full."""
    data = msgspec.json.Encoder().encode_lines(lines)
    start = os.lseek(handle, 0, os.SEEK_END)
    written = os.write(handle, data)
    if written != len(data):
        os.ftruncate(handle, start)
        raise OSError(f"only {written} of {len(data)} bytes could be written to the sandbox folder")


def _lines(path: Path, kind: type[_Line]) -> Iterator[_Line]:
    decoder = msgspec.json.Decoder(kind)
    good = 0
    with path.open("r+b") as file:
        for position, raw in enumerate(file, start=1):
            if not raw.endswith(b"\n"):
                os.truncate(path, good)
                return
            try:
                yield decoder.decode(raw)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise SandboxError(f"{path}, line {position}: {error}; use an empty folder") from None
            good += len(raw)
