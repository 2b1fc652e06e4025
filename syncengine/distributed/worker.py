"""`worker`: a process that takes shards from the queue until it is asked to end.

The engine's own tasks, above all its heartbeat, run on the event loop; shards block in threads of their own. If the
database is unreachable, the process waits for it; if another worker has taken over a lane, it ends at once.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from syncengine.applying.stopping import Cause, StopSignal
from syncengine.core.digests import wire_digest
from syncengine.core.errors import Exit, LedgerTrouble, SyncError
from syncengine.core.host_and_ledger import check_applicable, check_host
from syncengine.core.ports import Listener
from syncengine.core.settings import Account
from syncengine.distributed.content import Sealer
from syncengine.distributed.engine import TASK, application, engine_messages, engine_schema, require_engine
from syncengine.distributed.executing import FenceLost, Shop, Site, work_on
from syncengine.distributed.housekeeping import Housekeeper, Nameplate, requeue_stalled
from syncengine.distributed.run_end import heal
from syncengine.distributed.run_terms import refuse_other_terms
from syncengine.distributed.store import WorkerStore, found_schema, require_server
from syncengine.distributed.submitting import queue_name
from syncengine.ledger import open_ledger
from syncengine.ledger.key import read_key
from syncengine.make_plan import TOOL
from syncengine.project import Project

if TYPE_CHECKING:
    import procrastinate

    from syncengine.ledger import Ledger

_BACK_OFF = (0.5, 1.0, 2.0, 5.0)
_LAST_ANSWERS = 60.0
"""Seconds for which a worker that lost a lane waits for requests in flight on its other lanes."""

_ENGINE_CONNECTIONS = 3
_POLL = 1.0
"""Seconds between searches for a job whose announcement was missed."""


class WorkerRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`accounts` empty: all of the configuration. `parallel` shards run at once. `drain`: end once nothing is open."""

    accounts: tuple[str, ...] = ()
    parallel: int = 4
    lease_seconds: float = 30.0
    drain: bool = False
    listener: Callable[[], Listener]
    """Creates the listener of one shard. Shards run concurrently, each on a thread of its own."""


class Worked(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker did until it ended."""

    worker: str
    shards: int
    requests: int
    exit: Exit
    refused: Mapping[str, str] = {}
    """Accounts whose API key the service refuses to this worker, and why. It took no more of their shards."""
    stopped: Mapping[str, str] = {}
    """Runs that ended early while this worker was on them, and why."""


def work(project: Project, request: WorkerRequest) -> Worked:
    """Work until a signal arrives, or with `drain` until nothing is open. Raises ConfigError or Refusal before the
    first shard."""
    require_engine()
    worker = _Worker(project, request)
    worker.prepare()
    with engine_messages(worker.note):
        return asyncio.run(worker.serve())


class _Worker:
    def __init__(self, project: Project, request: WorkerRequest) -> None:
        self._project = project
        self._request = request
        self._listener = request.listener()
        self._dsn = require_server(project.pin())
        self._name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._sites: dict[str, Site] = {}
        self._queues: dict[str, str] = {}
        """By account; without those whose key is refused."""
        self._refused: dict[str, str] = {}
        self._stopped: dict[str, str] = {}
        self._signals: set[StopSignal] = set()
        self._threads = ThreadPoolExecutor(request.parallel + 1, thread_name_prefix="shard")
        self._ending = asyncio.Event()
        self._fewer_queues = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._interrupted = False
        self._dying = False
        self._shards = 0
        self._requests = 0

    def prepare(self) -> None:
        """Run every check that may refuse, before anything is taken from the queue."""
        names = self._request.accounts or tuple(self._project.settings.accounts)
        accounts = [self._project.account(name) for name in names]
        store = WorkerStore(self._dsn)
        with ExitStack() as stack:
            stack.callback(store.close)
            ledger = stack.enter_context(self._project.ledger(accounts[0]))
            for account in accounts:
                check_applicable(account, self._project.settings.ledger, ledger.identity())
                check_host(account, ledger.hosts())
            found_schema(store, engine_schema)
            heal(store, ledger)
            self._queues = {account.identity: self._queue(account) for account in accounts}
            refuse_other_terms(store, accounts, self._queues, self._project.settings.policy.digest)
        sealer = Sealer(read_key(self._root / self._project.settings.ledger.key_path) or b"")
        self._sites = {account.identity: self._site(account, sealer) for account in accounts}

    @property
    def _root(self) -> Path:
        return Path(self._project.settings.root)

    def _queue(self, account: Account) -> str:
        return queue_name(
            account=account.identity,
            tool=TOOL,
            host=account.host,
            policy_digest=self._project.settings.policy.digest,
            wire_digest=wire_digest(account.wire),
        )

    def _site(self, account: Account, sealer: Sealer) -> Site:
        from syncengine.leadbyte import gateway_factory, resolve_key

        environ = self._project.environ
        key = resolve_key(account.api_key, environ, account=account.name, warn=self._listener.note)
        return Site(
            worker=self._name,
            account=account,
            policy=self._project.settings.policy,
            connect=gateway_factory(account, key, self._project.clock, ca_file=environ.get("SYNCENGINE_CA_FILE")),
            sealer=sealer,
            lease_seconds=self._request.lease_seconds,
            clock=self._project.clock,
            random=random.random,
            listener=self._listener,
        )

    # The process

    async def serve(self) -> Worked:
        """Run until the end. If the database connection is lost, the engine's session ends and a new one begins."""
        loop = self._loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._interrupt, number)
        lives = 0
        while not self._ending.is_set():
            try:
                await self._live()
            except Exception as error:
                if not _is_database_trouble(error):
                    raise
                self._listener.note(f"the queue's database is lost ({_first_line(error)}); waiting for it")
            if not self._ending.is_set():
                await self._pause(_BACK_OFF[min(lives, len(_BACK_OFF) - 1)])
                lives += 1
        self._threads.shutdown()
        code = Exit.INTERRUPTED if self._interrupted else Exit.INCOMPLETE if self._refused else Exit.DONE
        return Worked(
            worker=self._name,
            shards=self._shards,
            requests=self._requests,
            exit=code,
            refused=self._refused,
            stopped=self._stopped,
        )

    def note(self, text: str) -> None:
        """Show a message of the job engine."""
        self._listener.note(text)

    def _interrupt(self, number: int) -> None:
        """First signal: finish what is in flight. Second signal: end at once, which loses nothing that is recorded."""
        if self._interrupted:
            os._exit(Exit.INTERRUPTED)
        self._interrupted = True
        self._listener.note(f"{signal.Signals(number).name}: finishing what is in flight")
        self._ending.set()
        for each in list(self._signals):
            each.request(Cause.INTERRUPTED, f"interrupted by {signal.Signals(number).name}")

    async def _live(self) -> None:
        app = application(self._dsn, _ENGINE_CONNECTIONS)
        app.task(name=TASK)(self._shard)
        async with app.open_async():
            house = asyncio.create_task(self._keep_house(app))
            ending = asyncio.create_task(self._ending.wait())
            finishing: list[asyncio.Task[None]] = []
            while True:
                self._fewer_queues.clear()
                engine = asyncio.create_task(self._run_engine(app))
                fewer = asyncio.create_task(self._fewer_queues.wait())
                await asyncio.wait({engine, house, ending, fewer}, return_when=asyncio.FIRST_COMPLETED)
                if self._ending.is_set() or not fewer.done():
                    break
                # The engine's queues are fixed. It ends its jobs, and another one goes on with the other accounts.
                engine.cancel()
                finishing.append(engine)
            # When cancelled, the engine takes no new job and waits for those that run. A second time would end them.
            await _end([engine, house, ending, fewer], finishing)

    async def _run_engine(self, app: procrastinate.App) -> None:
        lease = self._request.lease_seconds
        await app.run_worker_async(
            queues=list(self._queues.values()),
            name=self._name,
            concurrency=self._request.parallel,
            install_signal_handlers=False,
            fetch_job_polling_interval=_POLL,
            update_heartbeat_interval=lease / 6,
            stalled_worker_timeout=lease,
            delete_jobs="always",
        )

    async def _keep_house(self, app: procrastinate.App) -> None:
        loop = asyncio.get_running_loop()
        lease = self._request.lease_seconds
        plate = Nameplate(
            worker=self._name,
            machine=socket.gethostname(),
            pid=os.getpid(),
            tool=TOOL,
            queues=tuple(self._queues.values()),
            parallel=self._request.parallel,
            patience=lease,
        )
        with ExitStack() as stack:
            store = WorkerStore(self._dsn)
            stack.callback(store.close)
            ledger = await loop.run_in_executor(self._threads, self._ledger)
            stack.callback(ledger.close)
            keeper = Housekeeper(store, ledger, plate, self._listener)
            stack.callback(keeper.leave)
            while not self._ending.is_set():
                keeper.queues = tuple(self._queues.values())
                try:
                    await requeue_stalled(app, keeper.queues, lease * 2 / 3)
                    nothing_open = await loop.run_in_executor(self._threads, keeper.look)
                except Exception as error:
                    if not _is_database_trouble(error):
                        raise
                    # The engine notices it as well, and ends the session if the loss lasts.
                    nothing_open = False
                if nothing_open and self._request.drain:
                    self._ending.set()
                await self._pause(lease / 6)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)

    def _ledger(self) -> Ledger:
        return open_ledger(
            self._project.pin(),
            root=self._root,
            clock=self._project.clock,
            lease_seconds=self._request.lease_seconds,
        )

    # A shard

    async def _shard(self, run: str, shard: int) -> None:
        if self._ending.is_set() or self._dying:
            return
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, self._work_on, run, shard)

    def _work_on(self, run: str, shard: int) -> None:
        stop = StopSignal()
        self._signals.add(stop)
        try:
            if self._interrupted or self._dying:
                return
            self._in_shop(run, shard, stop)
        except FenceLost as lost:
            self._listener.note(f"another worker took over shard {shard} of run {run}; this process ends")
            self._die(stop, Exit.IN_DOUBT if lost.unrecorded else Exit.INCOMPLETE)
        except SyncError as error:
            # The shard is still open; housekeeping announces it again.
            self._listener.note(f"shard {shard} of run {run}: {error.message}")
        except Exception as error:  # noqa: BLE001 - the engine would log it with a traceback, and go on likewise
            self._listener.note(f"shard {shard} of run {run}: an error in syncengine itself: {type(error).__name__}")
        finally:
            self._signals.discard(stop)

    def _die(self, stop: StopSignal, code: Exit) -> None:
        """End the process without ending the job, which now belongs to another worker. Other lanes record their answers
        first."""
        self._signals.discard(stop)
        self._dying = True
        for each in list(self._signals):
            each.request(Cause.INTERRUPTED, "a lane of this worker was lost")
        deadline = time.monotonic() + _LAST_ANSWERS
        while self._signals and time.monotonic() < deadline:
            time.sleep(0.05)
        os._exit(code)

    def _in_shop(self, run: str, shard: int, stop: StopSignal) -> None:
        with ExitStack() as stack:
            store, quick = WorkerStore(self._dsn), WorkerStore(self._dsn, durable=False)
            stack.callback(store.close)
            stack.callback(quick.close)
            found = store.rows("get_submission", run=run)
            if not found or found[0]["account"] not in self._sites:
                return
            ledger = self._ledger()
            stack.callback(ledger.close)
            shop = Shop(store=store, quick=quick, ledger=ledger)
            site = msgspec.structs.replace(self._sites[found[0]["account"]], listener=self._request.listener())
            outcomes = work_on(shop, site, run, shard, stop)
            if outcomes is not None:
                self._shards += 1
                self._requests += outcomes.requests
                if outcomes.refused:
                    self._leave_account(site.account, outcomes.refused)
                if outcomes.reason and run not in self._stopped:
                    self._stopped[run] = outcomes.reason
                    self._listener.note(f"run {run} of account {site.account.name} is stopped: {outcomes.reason}")

    def _leave_account(self, account: Account, reason: str) -> None:
        """Take no more shards of an account whose key is refused: they are for workers with another key."""
        if self._queues.pop(account.identity, None) is None:
            return
        self._sites.pop(account.identity, None)
        self._refused[account.name] = reason
        self._listener.note(
            f"account {account.name}: {reason}; this worker takes no more of its shards. Replace the key and start it "
            "again; runs of the account stay open for other workers"
        )
        event = self._fewer_queues if self._queues else self._ending
        if self._loop is not None:
            self._loop.call_soon_threadsafe(event.set)


async def _end(tasks: Sequence[asyncio.Task[Any]], finishing: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel `tasks`, await them and those that are `finishing`, then raise the first exception other than the
    cancellation."""
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, *finishing, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result


def _is_database_trouble(error: Exception) -> bool:
    import psycopg
    from procrastinate import exceptions

    return isinstance(error, psycopg.Error | exceptions.ConnectorException | LedgerTrouble)


def _first_line(error: Exception) -> str:
    cause = error.__cause__ or error
    lines = str(cause).splitlines()
    return lines[0] if lines else type(cause).__name__
