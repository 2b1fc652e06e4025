"""Sends one message through apprise, in a process of its own, which `notify` ends where an address takes too long.

Reads {"title", "text", "addresses"} as JSON on stdin, so that no address is in a process list; writes what went wrong
with each address, "" for nothing, as a JSON list on stdout.
"""

from __future__ import annotations

import json
import logging
import sys

import apprise


def main() -> None:
    """Try every address once."""
    # Its own log would repeat addresses, which may hold passwords.
    logging.disable(logging.CRITICAL)
    message = json.load(sys.stdin)
    for address in message["addresses"]:
        sys.stdout.write(json.dumps(_fault(address, message["title"], message["text"])) + "\n")
        sys.stdout.flush()


def _fault(address: str, title: str, text: str) -> str:
    try:
        target = apprise.Apprise()
        if not target.add(address):
            return "it holds no address that apprise knows"
        return "" if target.notify(title=title, body=text) else "the service did not take it"
    except Exception as error:  # noqa: BLE001  # whatever a plugin does, the command has done its work
        return type(error).__name__


if __name__ == "__main__":
    main()
