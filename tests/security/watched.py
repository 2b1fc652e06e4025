"""A command line that is watched: which connections, programs, files and variables it asks for.

    python -m tests.security.watched REPORT ARGUMENT...

Everything that Python opens passes its audit hooks; what C libraries open by themselves does not, so tests also listen
where a connection would arrive.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

_CONNECTIONS = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.bind")
_PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn")
seen: dict[str, list[str]] = {"connections": [], "programs": [], "files": [], "variables": [], "databases": []}


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _CONNECTIONS:
        seen["connections"].append(f"{event} {arguments[1:]!r}")
    elif event in _PROGRAMS:
        seen["programs"].append(str(arguments[0]))
    elif event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        seen["files"].append(os.fsdecode(arguments[0]))
    elif event == "sqlite3.connect":
        seen["databases"].append(str(arguments[0]))


class _Environ(type(os.environ)):  # type: ignore[misc]
    def __getitem__(self, name: str) -> str:
        seen["variables"].append(name)
        return str(super().__getitem__(name))


def main() -> int:
    """The command's exit code."""
    report, *args = sys.argv[1:]
    from syncengine.cli.main import run

    os.environ.__class__ = _Environ
    sys.addaudithook(_hook)
    code = run(args)
    Path(report).write_text(json.dumps(seen))
    return code


if __name__ == "__main__":
    sys.exit(main())
