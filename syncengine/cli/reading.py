"""What verify and drift share: the account, its reader, and how compared values are shown."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from syncengine.cli.command import Invocation
from syncengine.core.errors import ConfigError, InputError

if TYPE_CHECKING:
    from syncengine.core.redaction import Masker
    from syncengine.core.settings import Account
    from syncengine.leadbyte import LeadReader
    from syncengine.ledger import Ledger
    from syncengine.project import Project


def open_ledger_view(project: Project, stack: ExitStack) -> Ledger:
    """The ledger for reading; `stack` closes it. Raises InputError where there is none."""
    ledger = stack.enter_context(project.view())
    if ledger is None:
        raise InputError(
            f"there is no ledger at {project.settings.ledger.place}, so it is not known what was applied",
            code="SE904",
            hint="run this where the changes were applied, with the ledger that they were recorded in",
        )
    return ledger


def open_reader(invocation: Invocation, project: Project, account: Account, stack: ExitStack) -> LeadReader:
    """Asks the service about leads; `stack` closes it. Raises ConfigError where the account does not allow reading."""
    from syncengine.leadbyte import LeadReader, resolve_key

    if not account.reads.leads:
        raise ConfigError(
            f"account {account.name} does not allow reading leads, so nothing can be read back",
            code="SE520",
            hint=f"tick Leads > Search for the API key, and write `reads: {{leads: true}}` under account "
            f"{account.name} in {project.settings.file}",
        )
    key = resolve_key(account.api_key, project.environ, account=account.name, warn=invocation.output.warning)
    ca_file = project.environ.get("SYNCENGINE_CA_FILE")
    return stack.enter_context(LeadReader(account, key, project.clock, ca_file=ca_file))


def wait(seconds: float) -> None:
    """Do nothing for so long; a signal ends it."""
    threading.Event().wait(seconds)


def of_identity(project: Project, identity: str) -> Account:
    """The account that the ledger knows by this name. Raises ConfigError where the configuration has none."""
    for account in project.settings.accounts.values():
        if account.identity == identity:
            return account
    return project.account(identity)


def masker(account: Account, *, show_values: bool) -> Masker:
    """Shows values as far as the account's public fields and the user allow; amounts and buyers always."""
    from syncengine.core.observations import MONEY
    from syncengine.core.redaction import Masker

    return Masker((*account.fields.public, *MONEY), show_values=show_values)
