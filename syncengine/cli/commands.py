"""Every verb in one table. The words are kept here so that the list of commands needs no verb's module."""

from __future__ import annotations

from typing import NamedTuple


class VerbEntry(NamedTuple):
    """Module that holds the click command called `command`, and its line in the list of commands."""

    module: str
    summary: str
    sends: bool = False
    """The verb may begin a run: from then on it settles its own exit code, and lost output no longer changes it."""


VERBS: dict[str, VerbEntry] = {
    "init": VerbEntry("syncengine.cli.init", "Write a configuration, a ledger and an example changeset."),
    "validate": VerbEntry("syncengine.cli.validate", "Check changesets and configuration; report every problem."),
    "plan": VerbEntry("syncengine.cli.plan", "Work out what would be sent, show it and save it."),
    "show": VerbEntry("syncengine.cli.show", "Show a saved plan."),
    "approve": VerbEntry("syncengine.cli.approve", "Sign a saved plan with an SSH key."),
    "apply": VerbEntry("syncengine.cli.apply", "Send what a plan lists, once, and record every answer.", sends=True),
    "submit": VerbEntry("syncengine.cli.submit", "Enqueue an approved plan for workers.", sends=True),
    "worker": VerbEntry("syncengine.cli.worker", "Carry out submitted plans, together with other workers.", sends=True),
    "status": VerbEntry("syncengine.cli.status", "Show what is in doubt and which plans are unfinished."),
    "history": VerbEntry("syncengine.cli.history", "Show what happened to leads, changesets and runs."),
    "explain": VerbEntry("syncengine.cli.explain", "Tell one operation's whole story."),
    "verify": VerbEntry("syncengine.cli.verify", "Read back what a run or plan applied, and compare."),
    "drift": VerbEntry("syncengine.cli.drift", "Compare what was last applied with what leads hold now."),
    "resolve": VerbEntry("syncengine.cli.resolve", "Say what became of an operation nobody could know about."),
    "revert": VerbEntry("syncengine.cli.revert", "Write a changeset that sets back what a plan changed."),
    "ledger": VerbEntry("syncengine.cli.ledger", "Check, export, migrate the ledger; forget a lead; free a lease."),
    "cancel": VerbEntry("syncengine.cli.cancel", "Ask a run that is under way to send nothing more."),
    "import": VerbEntry("syncengine.cli.import_file", "Turn an API request or a CSV into a changeset."),
    "doctor": VerbEntry("syncengine.cli.doctor", "Say what is wrong with this set-up, and what to do."),
    "sandbox": VerbEntry("syncengine.cli.sandbox", "Run a LeadByte-compatible service on this machine."),
    "demo": VerbEntry("syncengine.cli.demo", "Watch the whole job run against a sandbox."),
    "schema": VerbEntry("syncengine.cli.schema", "Print a JSON Schema, for editors and other tools."),
}
