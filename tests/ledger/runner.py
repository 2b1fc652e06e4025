"""A runner in a process of its own, told by lines on its standard input. Answers each with one line of its own.

hold: take the lease. begin: begin a run. intend LEAD: commit an intent for a trigger. answer: answer the last intent.
many N: N commits of intents and answers, each reported when it is durable. spawn: start a child that outlives us.
"""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from syncengine.core.errors import SyncError
from syncengine.core.ports import Lease, OutgoingRequest
from syncengine.core.values import RunId
from tests.ledger.building import (
    APPLIED,
    Home,
    allow,
    answered,
    entry,
    intend,
    settle,
    start,
    trigger,
    update,
)


class Runner:
    def __init__(self, home: Home, lease_seconds: float, account: str) -> None:
        self.account = account
        self.ledger = home.open(lease_seconds=lease_seconds)
        self.stack = contextlib.ExitStack()
        self.lease: Lease | None = None
        self.run = RunId("")
        self.last = 0

    def hold(self) -> str:
        self.lease = self.stack.enter_context(self.ledger.lease(self.account, wait=0))
        return f"epoch {self.lease.epoch}"

    def begin(self) -> str:
        assert self.lease is not None
        self.run = self.ledger.begin(self.lease, msgspec.structs.replace(start(), account=self.account))
        return self.run

    def intend(self, lead: str) -> str:
        assert self.lease is not None
        self.last = intend(self.ledger, self.lease, self.run, entry(trigger(int(lead))))
        return f"intended {self.last}"

    def answer(self) -> str:
        assert self.lease is not None
        settle(self.ledger, self.lease, self.run, answered(self.last, APPLIED))
        return "answered"

    def many(self) -> str:
        assert self.lease is not None
        answers = []
        for lead in itertools.count(1):
            sent = entry(update(lead), trigger(lead))
            done = self.ledger.commit(self.lease, self.run, [OutgoingRequest((sent,))], answers, allow)
            request = done.requests[0]
            assert request is not None
            answers = [answered(request, (APPLIED, APPLIED))]
            sys.stdout.write(f"{lead} {request}\n")
            sys.stdout.flush()
        return ""

    def spawn(self) -> str:
        child = subprocess.Popen(["sleep", "30"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        return str(child.pid)


def serve(channel: Connection, home: tuple[Path, str], seconds: float, account: str) -> None:
    """The same over a pipe, for processes that are forked because there are many of them."""
    runner = Runner(Home(*home), seconds, account)
    channel.send("ready")
    while True:
        name, *arguments = channel.recv().split()
        try:
            said = getattr(runner, name)(*arguments)
        except SyncError as error:
            said = f"{type(error).__name__}: {error}"
        channel.send(said)


def main() -> None:
    root, url, seconds, account = sys.argv[1:]
    runner = Runner(Home(Path(root), url), float(seconds), account)
    for line in sys.stdin:
        name, *arguments = line.split()
        try:
            said = getattr(runner, name)(*arguments)
        except SyncError as error:
            said = f"{type(error).__name__}: {error}"
        sys.stdout.write(said + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
