"""One message to people at the end of a command that left something to look at: counts and ids, never a value.

A message that cannot be delivered is a warning. It never changes what the command did, says or returns.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from importlib.util import find_spec
from itertools import zip_longest
from typing import TYPE_CHECKING

from syncengine.cli.command import Invocation

if TYPE_CHECKING:
    from syncengine.core.results import FolderResult, RunResult
    from syncengine.project import Project

_NAMED = 20
"""Runs, and waiting plans, that a message names."""

SECONDS = 10.0
"""The longest that a command waits for its messages, all of them together."""

_WORDS = {
    "in_doubt": "in doubt",
    "stopped": "stopped early",
    "rejected": "rejected",
    "waiting": "waiting for approvals",
    "drift": "drifted",
}


def notify_of_run(invocation: Invocation, project: Project, result: RunResult) -> None:
    """The message about a run that was carried out."""
    counts = result.counts
    said = (
        f"{counts.applied} applied, {counts.rejected} rejected, {counts.in_doubt} in doubt, {counts.not_sent} not sent"
    )
    if result.unrecorded:
        said += f", {len(result.unrecorded)} of them answered but not recorded"
    doubts = counts.in_doubt + len(result.unrecorded)
    reasons = {"in_doubt": doubts, "rejected": counts.rejected, "stopped": int(bool(result.stopped))}
    ids = f"run {result.run}\nplan {result.plan[:12]}" if result.run else f"plan {result.plan[:12]}"
    notify(invocation, project, result.account, reasons, f"{said}\n{ids}")


def notify_of_folder(invocation: Invocation, project: Project, result: FolderResult) -> None:
    """The message about a folder of plans that was applied."""
    results = [plan.result for plan in result.plans]
    sums = Counter[str]()
    for each in results:
        sums.update({name: getattr(each.counts, name) for name in ("applied", "rejected", "in_doubt", "not_sent")})
        sums["unrecorded"] += len(each.unrecorded)
    said = [
        f"{sums['applied']} applied, {sums['rejected']} rejected, {sums['in_doubt']} in doubt, "
        f"{sums['not_sent']} not sent",
        f"{len(results)} plans settled, {len(result.waiting)} waiting for approvals, {len(result.refused)} refused",
    ]
    if sums["unrecorded"]:
        said.append(f"{sums['unrecorded']} answered but not recorded")
    said += [f"run {each.run}, plan {each.plan[:12]}" for each in results if each.run][:_NAMED]
    said += [f"waiting: {waiting.changeset}, plan {waiting.plan[:12]}" for waiting in result.waiting][:_NAMED]
    reasons = {
        "in_doubt": sums["in_doubt"] + sums["unrecorded"],
        "rejected": sums["rejected"],
        "stopped": int(bool(result.stopped)),
        "waiting": len(result.waiting),
    }
    notify(invocation, project, result.account, reasons, "\n".join(said))


def notify(invocation: Invocation, project: Project, account: str, reasons: Mapping[str, int], text: str) -> None:
    """Send one message where one of `reasons` (how often each, by its name in notify.on) is configured.

    To be called once, when the lease is given back and the result was printed.
    """
    settings = project.settings.notify
    met = [reason for reason in settings.on if reasons.get(reason)]
    if not settings.variables or not met:
        return
    title = f"syncengine {invocation.command}: account {account}: {', '.join(_WORDS[reason] for reason in met)}"
    warn = invocation.output.warning
    if find_spec("apprise") is None:
        warn("no message was sent: notify needs the package apprise (pip install 'leadbyte-syncengine[notify]')")
        return
    addresses = {variable: project.environ.get(variable, "") for variable in settings.variables}
    for variable in [variable for variable, address in addresses.items() if not address]:
        warn(f"no message was sent to {variable}: the variable is not set")
        del addresses[variable]
    faults = _send(title, text, list(addresses.values()))
    for variable, fault in zip_longest(addresses, faults, fillvalue="it took too long"):
        if fault:
            warn(f"the message to {variable} was not delivered: {fault}")


def _send(title: str, text: str, addresses: list[str]) -> list[str]:
    """What went wrong with each address, "" for nothing; shorter than `addresses` where the time ran out.

    A process of its own can be ended; a thread that waits for a server cannot, and the command would wait with it.
    """
    said = json.dumps({"title": title, "text": text, "addresses": addresses})
    command = [sys.executable, "-m", "syncengine.cli.send_message"]
    try:
        ended = subprocess.run(command, input=said, capture_output=True, text=True, timeout=SECONDS, check=False)
        output = ended.stdout
    except subprocess.TimeoutExpired as error:
        output = error.stdout.decode() if isinstance(error.stdout, bytes) else error.stdout or ""
    except OSError as error:
        return [error.strerror or "no process could be started"] * len(addresses)
    return [json.loads(line) for line in output.splitlines()]
