"""Every command in one table. Summaries are kept here so that listing commands imports no command module."""

from __future__ import annotations

from typing import NamedTuple


class CommandEntry(NamedTuple):
    """Module that holds the click command called `command`, and its line in the list of commands."""

    module: str
    summary: str
    sends: bool = False
    """The command may start a run. From then on it decides its own exit code, and lost output does not change it."""


COMMANDS: dict[str, CommandEntry] = {
    "init": CommandEntry("syncengine.cli.init", "Write a configuration, a ledger and an example changeset."),
    "validate": CommandEntry("syncengine.cli.validate", "Check changesets and configuration; report every problem."),
    "plan": CommandEntry("syncengine.cli.plan", "Compute the operations to send, show them and save them as a plan."),
    "show": CommandEntry("syncengine.cli.show", "Show a saved plan."),
    "review": CommandEntry("syncengine.cli.review", "Show the findings of a plan one by one, then sign it."),
    "approve": CommandEntry("syncengine.cli.approve", "Sign a saved plan with an SSH key."),
    "apply": CommandEntry(
        "syncengine.cli.apply", "Send planned operations at most once; record every answer.", sends=True
    ),
    "submit": CommandEntry("syncengine.cli.submit", "Enqueue an approved plan for workers.", sends=True),
    "worker": CommandEntry("syncengine.cli.worker", "Apply submitted plans, together with other workers.", sends=True),
    "status": CommandEntry("syncengine.cli.status", "Show unresolved operations and unfinished plans."),
    "history": CommandEntry("syncengine.cli.history", "Show operations by lead, changeset or run."),
    "explain": CommandEntry("syncengine.cli.explain", "Show everything known about one operation."),
    "verify": CommandEntry("syncengine.cli.verify", "Compare leads with what a run or plan applied."),
    "drift": CommandEntry("syncengine.cli.drift", "Compare the last applied values with the current values of leads."),
    "resolve": CommandEntry("syncengine.cli.resolve", "Record the outcome of an operation in doubt."),
    "revert": CommandEntry("syncengine.cli.revert", "Write a changeset that restores the values a plan changed."),
    "rejects": CommandEntry("syncengine.cli.rejects", "Write the source rows that a run did not apply, to correct."),
    "ledger": CommandEntry("syncengine.cli.ledger", "Check, export, migrate the ledger; erase a lead; free a lease."),
    "cancel": CommandEntry("syncengine.cli.cancel", "Stop a run before its next request."),
    "import": CommandEntry("syncengine.cli.import_file", "Convert an API request or a table into a changeset."),
    "lookup": CommandEntry("syncengine.cli.lookup", "Find lead ids by e-mail address or phone number."),
    "doctor": CommandEntry("syncengine.cli.doctor", "Find problems in this set-up and suggest fixes."),
    "sandbox": CommandEntry("syncengine.cli.sandbox", "Run a local LeadByte-compatible service."),
    "demo": CommandEntry("syncengine.cli.demo", "Run the whole workflow against a sandbox."),
    "schema": CommandEntry("syncengine.cli.schema", "Print a JSON Schema for editors and other tools."),
}
