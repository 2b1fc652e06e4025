"""The sandbox's server on a loopback socket: one accept thread and one thread per connection."""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import shutil
import signal
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType

from syncengine.documents.files import open_ordinary
from syncengine.sandbox.connections import readable
from syncengine.sandbox.defaults import DEFAULT_DELIVERIES, default_campaigns, default_leads
from syncengine.sandbox.entities import Campaign, Delivery
from syncengine.sandbox.errors import SandboxError
from syncengine.sandbox.exchange import Refusing, serve
from syncengine.sandbox.faults import Script, Trouble
from syncengine.sandbox.faults_file import check_rule, read_script
from syncengine.sandbox.keys import DEFAULT_KEYS, Key, KeyRing
from syncengine.sandbox.leads_file import read_leads
from syncengine.sandbox.service import Service
from syncengine.sandbox.state import SandboxState
from syncengine.sandbox.store import EFFECTS, LEADS, REQUESTS, SandboxStore
from syncengine.sandbox.wire import Connection, ConnectionEnded
from syncengine.sandbox.world import SandboxAccount

HOST = "127.0.0.1"
_POLL_SECONDS = 0.1
_POLL_MS = 100
_JOIN_SECONDS = 5.0
# Small enough that a client's write blocks when the sandbox reads slowly.
_SLOW_BUFFER = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """Options of a sandbox; every option has a working default.

    `port` 0 takes a free one. `leads` is a CSV file; without it the default data is used (or, in a folder that was used
    before, the leads of that time). `faults` is a file, or a script made in code. `state` is the folder for the logs;
    without it a temporary one is created and kept after the end. `any_lead` makes every lead id exist, approved.
    `quarantine_delay` is how many seconds a release or rejection waits in the queue. `certificate` and
    `certificate_key` (PEM files) enable TLS. `drop_underscore_headers` drops X_KEY, as some proxies do.
    """

    port: int = 0
    leads: Path | None = None
    faults: Path | Script | None = None
    state: Path | None = None
    any_lead: bool = False
    latency_ms: float = 0.0
    keys: Sequence[Key] = DEFAULT_KEYS
    deliveries: Sequence[Delivery] = DEFAULT_DELIVERIES
    campaigns: Sequence[Campaign] | None = None
    quarantine_delay: float = 1.0
    max_body: int = 16 * 1024 * 1024
    log_requests: bool = True
    certificate: Path | None = None
    certificate_key: Path | None = None
    drop_underscore_headers: bool = False


class Sandbox:
    """A sandbox that is not started yet. `clock` returns seconds since 1970."""

    def __init__(self, options: SandboxOptions | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._options = options or SandboxOptions()
        self._clock = clock

    def start(self) -> RunningSandbox:
        """Bind the port and serve in background threads. Raises SandboxError where files, folder or port are
        unusable."""
        options = self._options
        if not options.keys:
            raise SandboxError("a sandbox without keys cannot be called: give it at least one")
        script, base = _script(options)
        context = _tls_context(options)
        folder = options.state or Path(tempfile.mkdtemp(prefix="syncengine-sandbox-"))
        store = SandboxStore(folder, log_requests=options.log_requests)
        try:
            service = Service(_world(options, folder), store, Trouble(script, base), self._clock)
            listener = _listen(options.port, slow=service.trouble.reads_slowly)
        except (SandboxError, ValueError) as error:
            store.close()
            raise SandboxError(str(error)) from error
        running = RunningSandbox(options, service, listener, context, folder)
        running.open()
        return running


class RunningSandbox:
    """A started sandbox, also a context manager. Its logs can be read at any time."""

    def __init__(
        self,
        options: SandboxOptions,
        service: Service,
        listener: socket.socket,
        context: ssl.SSLContext | None,
        folder: Path,
    ) -> None:
        self._options = options
        self._service = service
        self._listener = listener
        self._context = context
        self._accepted = 0
        self._letting_in = False
        self._shut_until = 0.0
        self._shut = threading.Event()
        self._door = threading.Thread(target=self._accept, name="sandbox-door", daemon=True)
        self.state_dir = folder
        self.port: int = listener.getsockname()[1]
        self.url = f"{'http' if context is None else 'https'}://{HOST}:{self.port}"
        self.api_key = options.keys[0].text

    @property
    def effects_log(self) -> Path:
        return self.state_dir / EFFECTS

    @property
    def requests_log(self) -> Path:
        return self.state_dir / REQUESTS

    def open(self) -> None:
        self._door.start()

    def set_faults(self, script: Script | Path | None) -> None:
        """Replace the fault script from the next request on; None removes it. Raises SandboxError for an invalid
        script.

        Open connections keep their buffer sizes, so a script that reads slowly must be given at the start.
        """
        checked, base = _checked(script)
        self._service.replace_script(checked, base)

    def idle(self, timeout: float | None = None) -> bool:
        """Wait until everything received so far is processed, late effects included. False after the time-out."""
        return self._service.idle(timeout, lambda: readable(self._listener) or self._letting_in)

    def serve_until_interrupted(self, ready: Callable[[], None] = lambda: None) -> None:
        """Wait for SIGINT or SIGTERM, then close. Main thread only. Restores the previous signal handlers.

        `ready` is called once signals are handled, so that its caller may send one at once.
        """
        stopped = threading.Event()

        def stop(_number: int, _frame: FrameType | None) -> None:
            stopped.set()

        before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            ready()
            stopped.wait()
        finally:
            self.close()
            for each, handler in before.items():
                signal.signal(each, handler)

    def close(self) -> None:
        """Stop listening, close every connection, apply pending late effects, and close the logs."""
        if self._service.closing.is_set():
            return
        self._service.closing.set()
        self._door.join(_JOIN_SECONDS)
        self._service.connections.close_all(_JOIN_SECONDS)
        self._service.close()

    def __enter__(self) -> RunningSandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _accept(self) -> None:
        """Accept connections. A connection is visible to `idle` at every moment: first as one being accepted, then as
        an open one."""
        while not self._service.closing.is_set():
            if time.monotonic() < self._shut_until:
                self._stay_shut()
            elif self._somebody_waits():
                self._letting_in = True
                with contextlib.suppress(OSError):
                    sock, _ = self._listener.accept()
                    self._let_in(sock)
                self._letting_in = False
        self._listener.close()

    def _somebody_waits(self) -> bool:
        watch = select.poll()
        watch.register(self._listener.fileno(), select.POLLIN)
        return bool(watch.poll(_POLL_MS))

    def _let_in(self, sock: socket.socket) -> None:
        sock.setblocking(True)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context is not None:
            sock = self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self._accepted += 1
        connection = Connection(sock, self._accepted, self._service.closing, max_body=self._options.max_body)
        name = f"sandbox-{connection.number}"
        thread = threading.Thread(target=self._serve, args=(connection,), name=name, daemon=True)
        self._service.connections.add(connection, thread)
        thread.start()

    def _stay_shut(self) -> None:
        self._listener.close()
        self._shut.set()
        while not self._service.closing.is_set() and time.monotonic() < self._shut_until:
            self._service.closing.wait(min(_POLL_SECONDS, max(0.0, self._shut_until - time.monotonic())))
        self._shut.clear()
        # The port was bound a moment ago. If another process has taken it since, wait until it is free again.
        while not self._service.closing.is_set():
            try:
                self._listener = _listen(self.port, slow=self._service.trouble.reads_slowly)
            except SandboxError:
                self._service.closing.wait(_POLL_SECONDS)
            else:
                return

    def _serve(self, connection: Connection) -> None:
        try:
            connection.shake_hands()
            serve(self._service, connection, drop_underscores=self._options.drop_underscore_headers)
        except ConnectionEnded:
            pass
        except Refusing as refusing:
            self._shut_until = time.monotonic() + refusing.seconds
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._shut.wait(_JOIN_SECONDS)
            connection.reset()
        finally:
            with contextlib.suppress(OSError):
                connection.socket.close()
            self._service.connections.remove(connection)


def _script(options: SandboxOptions) -> tuple[Script, Path]:
    script, base = _checked(options.faults)
    if options.latency_ms:
        script = Script(latency_ms=script.latency_ms + options.latency_ms, rules=script.rules)
    return script, base


def _checked(script: Script | Path | None) -> tuple[Script, Path]:
    if isinstance(script, Path):
        return read_script(script), script.resolve().parent
    for index, rule in enumerate(script.rules if script is not None else []):
        check_rule(rule, f"rules[{index}]")
    return script or Script(), Path.cwd()


def _world(options: SandboxOptions, folder: Path) -> SandboxAccount:
    leads = default_leads()
    kept = folder / LEADS
    if options.leads is not None:
        leads = read_leads(options.leads)
        _keep_leads(options.leads, kept)
    elif kept.exists():
        leads = read_leads(kept)
    campaigns = default_campaigns(leads) if options.campaigns is None else options.campaigns
    state = SandboxState(leads, options.deliveries, campaigns, any_lead=options.any_lead)
    return SandboxAccount(state, KeyRing(options.keys), quarantine_delay=options.quarantine_delay)


def _keep_leads(given: Path, kept: Path) -> None:
    """Require the leads that the folder was created with: its effects refer to them."""
    try:
        if not kept.exists():
            if (kept.parent / EFFECTS).stat().st_size > 0:
                raise SandboxError(f"{kept.parent} was begun with the default leads: use another folder for {given}")
            descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as copy, open_ordinary(given) as original:
                shutil.copyfileobj(original, copy)
        elif _digest(kept) != _digest(given):
            raise SandboxError(f"{kept.parent} was begun with other leads than {given}: use another folder")
    except OSError as error:
        raise SandboxError(f"cannot keep the leads in {kept}: {error.strerror}") from error


def _digest(path: Path) -> bytes:
    with open_ordinary(path) as file:
        return hashlib.file_digest(file, "sha256").digest()


def _listen(port: int, *, slow: bool) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if slow:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SLOW_BUFFER)
        listener.bind((HOST, port))
        listener.listen(512)
    except (OSError, OverflowError) as error:
        listener.close()
        raise SandboxError(
            f"cannot listen on {HOST}:{port}: {error}; choose another port, or 0 for a free one"
        ) from None
    listener.setblocking(False)
    return listener


def _tls_context(options: SandboxOptions) -> ssl.SSLContext | None:
    if options.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(options.certificate, options.certificate_key)
    except (OSError, ssl.SSLError) as error:
        raise SandboxError(f"cannot use the certificate {options.certificate}: {error}") from error
    return context
