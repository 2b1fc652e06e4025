"""Every command in one table. The words are kept here so that the list needs no command's module."""

from __future__ import annotations

from typing import NamedTuple


class CommandEntry(NamedTuple):
    """Module that holds the click command called `command`, and its line in the list of commands."""

    module: str
    summary: str
    sends: bool = False
    """The verb may begin a run: from then on it settles its own exit code, and lost output no longer changes it."""


COMMANDS: dict[str, CommandEntry] = {
    "init": CommandEntry("syncengine.cli.init", "Write a configuration, a ledger and an example changeset."),
    "validate": CommandEntry("syncengine.cli.validate", "Check changesets and configuration; report every problem."),
    "plan": CommandEntry("syncengine.cli.plan", "Work out what would be sent, show it and save it."),
    "show": CommandEntry("syncengine.cli.show", "Show a saved plan."),
    "review": CommandEntry("syncengine.cli.review", "Walk through a plan's findings one by one, then sign it."),
    "approve": CommandEntry("syncengine.cli.approve", "Sign a saved plan with an SSH key."),
    "apply": CommandEntry("syncengine.cli.apply", "Send what a plan lists, once, and record every answer.", sends=True),
    "submit": CommandEntry("syncengine.cli.submit", "Enqueue an approved plan for workers.", sends=True),
    "worker": CommandEntry(
        "syncengine.cli.worker", "Carry out submitted plans, together with other workers.", sends=True
    ),
    "status": CommandEntry("syncengine.cli.status", "Show what is in doubt and which plans are unfinished."),
    "history": CommandEntry("syncengine.cli.history", "Show what happened to leads, changesets and runs."),
    "explain": CommandEntry("syncengine.cli.explain", "Tell one operation's whole story."),
    "verify": CommandEntry("syncengine.cli.verify", "Read back what a run or plan applied, and compare."),
    "drift": CommandEntry("syncengine.cli.drift", "Compare what was last applied with what leads hold now."),
    "resolve": CommandEntry("syncengine.cli.resolve", "Say what became of an operation nobody could know about."),
    "revert": CommandEntry("syncengine.cli.revert", "Write a changeset that sets back what a plan changed."),
    "ledger": CommandEntry("syncengine.cli.ledger", "Check, export, migrate the ledger; forget a lead; free a lease."),
    "cancel": CommandEntry("syncengine.cli.cancel", "Ask a run that is under way to send nothing more."),
    "import": CommandEntry("syncengine.cli.import_file", "Turn an API request or a CSV into a changeset."),
    "lookup": CommandEntry(
        "syncengine.cli.lookup", "Find the lead ids of a table's e-mail addresses or phone numbers."
    ),
    "doctor": CommandEntry("syncengine.cli.doctor", "Say what is wrong with this set-up, and what to do."),
    "sandbox": CommandEntry("syncengine.cli.sandbox", "Run a LeadByte-compatible service on this machine."),
    "demo": CommandEntry("syncengine.cli.demo", "Watch the whole job run against a sandbox."),
    "schema": CommandEntry("syncengine.cli.schema", "Print a JSON Schema, for editors and other tools."),
}
