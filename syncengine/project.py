"""A configuration in use: its accounts and its pinned ledger."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from syncengine.clock import SystemClock
from syncengine.core.errors import ConfigError, Refusal, WrongLedger
from syncengine.core.host_and_ledger import check_applicable, check_host, lost_ledger, lost_records
from syncengine.core.ports import Clock
from syncengine.core.redaction import Environment
from syncengine.core.settings import Account, LedgerPin, Settings
from syncengine.documents.configuration import find_configuration, ledger_url, load_configuration

if TYPE_CHECKING:
    from syncengine.ledger import Ledger
    from syncengine.planning import PlanFile


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration, and the environment in which it is used.

    `through` is the path of changesets by which it was found, if it was neither named nor found from the working
    folder. Such a project is not trusted: it reads no key and opens no connection. None for every other configuration.
    """

    settings: Settings
    environ: Mapping[str, str]
    clock: Clock
    through: Path | None = None

    @classmethod
    def open(
        cls,
        config: Path | str | None = None,
        *,
        policy: Path | str | None = None,
        start: Path | str | None = None,
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        paths: Iterable[Path | str] = (),
    ) -> Self:
        """Find syncengine.yaml in `start` (default: the working folder) or a parent, or use `config`.

        If there is none, the folder of the first of `paths` and its parents are searched: see `through`. Raises
        ConfigError with every problem, each with its line.
        """
        env = Environment(os.environ if environ is None else environ)
        found = find_configuration(
            Path(start) if start is not None else Path.cwd(),
            None if config is None else str(config),
            env,
            [Path(path) for path in paths],
        )
        settings = load_configuration(found.path, env, None if policy is None else Path(policy))
        return cls(settings=settings, environ=env, clock=clock or SystemClock(), through=found.through)

    def require_named(self, what: str) -> None:
        """Raise ConfigError where the configuration was found through a path only. `what` names the action that reads a
        key or connects."""
        if self.through is not None:
            import shlex

            raise ConfigError(
                f"{self.settings.file} was found through {self.through} only, so that no key is read and no connection "
                f"opened, and {what} is refused",
                code="SE508",
                hint=f"look at it, then name it: --config {shlex.quote(self.settings.file)}",
            )

    def account(self, name: str) -> Account:
        """One account of the configuration. Raises ConfigError for an unknown name."""
        account = self.settings.accounts.get(name)
        if account is None:
            raise ConfigError(
                f"{self.settings.file} has no account {name}",
                code="SE510",
                hint=f"accounts there: {', '.join(self.settings.accounts)}",
            )
        return account

    def planned_account(self, saved: PlanFile) -> Account:
        """The account that a saved plan is for. Raises Refusal where the configuration has none of that name."""
        name = saved.header.account
        if name in self.settings.accounts:
            return self.settings.accounts[name]
        raise Refusal(
            f"the plan is for account {name}, which {self.settings.file} does not have",
            code="SE601",
            hint=f"use the configuration that it was made with, or plan again; accounts here: "
            f"{', '.join(self.settings.accounts)}",
        )

    def pin(self) -> LedgerPin:
        """The ledger to open. Raises ConfigError where its URL is in a variable that is empty or missing."""
        pin = self.settings.ledger
        return msgspec.structs.replace(pin, url=ledger_url(pin, self.environ))

    @contextmanager
    def view(self) -> Iterator[Ledger | None]:
        """The ledger for reading; None where it does not exist yet."""
        from syncengine.ledger import open_view

        ledger = open_view(self.pin(), root=Path(self.settings.root), clock=self.clock)
        if ledger is None:
            yield None
            return
        with closing(ledger), ledger.blaming_damage():
            yield ledger

    def missing_ledger(self, account: Account) -> str:
        """The note that a plan without a ledger shows first. Raises WrongLedger where a ledger existed before."""
        from syncengine.ledger import known_before

        pin = self.settings.ledger
        lost = lost_ledger(account, pin, known_before(self.pin(), root=Path(self.settings.root)))
        return f"{lost or f'there is no ledger at {pin.place}'}: everything counts as never applied"

    @contextmanager
    def ledger(self, account: Account | None = None, *, known: str | None = None) -> Iterator[Ledger]:
        """The ledger for writing, as pinned. For a loopback account it is created if missing.

        `known` is the ledger that a plan was made against. If that one is gone, no new one is created.
        """
        from syncengine.ledger import open_ledger

        self.require_named("writing its ledger")
        pin, root = self.pin(), Path(self.settings.root)
        if account is not None and account.is_loopback and pin.id is None and known is None:
            self._create_where_missing()
        with closing(open_ledger(pin, root=root, clock=self.clock)) as ledger, ledger.blaming_damage():
            if account is not None:
                ledger.require_sound()
                check_applicable(account, pin, ledger.identity())
                lost_records(account, pin, ledger.identity())
                check_host(account, ledger.hosts())
            yield ledger

    def _create_where_missing(self) -> None:
        from syncengine.ledger import create_ledger, open_view

        pin, root = self.pin(), Path(self.settings.root)
        ledger = open_view(pin, root=root, clock=self.clock)
        if ledger is None:
            try:
                ledger = create_ledger(pin, root=root, clock=self.clock)
            except WrongLedger:
                # Another process created it first: workers are often started together.
                ledger = open_view(pin, root=root, clock=self.clock)
                if ledger is None:
                    raise
        ledger.close()
