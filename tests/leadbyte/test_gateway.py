"""The gateway over real sockets: every way in which a request can fail, and what is known afterwards."""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from syncengine.core.errors import ConfigError
from syncengine.core.outcomes import Denied, Element, Elements, LeadEntry, Lost, NotSent, Redirected, Refused, Verdict
from syncengine.core.ports import Gateway
from syncengine.leadbyte import gateway_factory
from syncengine.leadbyte.payload import MAX_BODY

from .samples import KEY, SECRET, SteadyClock, account, entry, financials, trigger, update
from .wire import TLS, Connection, Handler, RawServer, answering, http, serving, updated

ONE = (entry(update(), trigger()),)
APPLIED = Elements({0: Element(True, "Lead updated")}, "OK")
SHORT = 0.4
AUTHORITY = str(TLS / "authority.pem")


@contextlib.contextmanager
def connected(
    url: str, *, timeout: float = 20.0, clock: SteadyClock | None = None, **options: Any
) -> Iterator[Gateway]:
    gateway = gateway_factory(account(url, timeout=timeout), SECRET, clock or SteadyClock(), **options)()
    try:
        yield gateway
    finally:
        gateway.close()


def send_once(url: str, entries: tuple[LeadEntry, ...] = ONE, **options: Any) -> tuple[Verdict, int]:
    with connected(url, **options) as gateway:
        return gateway.send(entries)


def unsent(verdict: Verdict) -> str:
    assert isinstance(verdict, NotSent), verdict
    assert verdict.message.endswith("nothing was sent")
    assert not verdict.answered
    return verdict.message


def lost(verdict: Verdict) -> str:
    assert isinstance(verdict, Lost), verdict
    assert verdict.message
    assert KEY not in verdict.message
    return verdict.message


# What leaves and comes back where nothing goes wrong.


def test_one_request_leaves_with_the_key_in_the_header_alone() -> None:
    with serving(answering(http(updated()))) as server:
        assert send_once(server.url()) == (APPLIED, 200)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "PUT /restapi/v1.3/leads HTTP/1.1"
    assert f"X_KEY: {KEY}" in lines
    assert {"Content-Type: application/json", "Accept: application/json", "Accept-Encoding: identity"} < set(lines)
    assert body == b'{"leads":[{"id":"2932682","triggerDeliveryId":"1053","update":{"postcode":"TN25 6QD"}}]}'


def test_financials_carry_the_key_in_the_body_alone() -> None:
    with serving(answering(http({"status": "Success"}))) as server:
        assert send_once(server.url(), (entry(financials()),)) == (
            Elements({0: Element(True, "Success")}, "Success"),
            200,
        )
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"PUT /restapi/v1.3/leadfinancials HTTP/1.1\r\n")
    assert KEY.encode() not in head
    assert body == (
        b'{"key":"' + KEY.encode() + b'","leads":[2932682],"newPayout":80.00,"newRevenue":120.00,"BID":"33"}'
    )


RAW = http(updated()).partition(b"\r\n\r\n")[2]
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(
    f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in (RAW[:7], RAW[7:20], RAW[20:], b"")
)


@pytest.mark.parametrize(
    "answer",
    [
        CHUNKED,
        http(gzip.compress(RAW), 200, "Content-Encoding: gzip"),
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + http(RAW),
    ],
    ids=["chunked", "gzip", "interim answers"],
)
def test_unusual_but_whole_answers_are_read(answer: bytes) -> None:
    with serving(answering(answer)) as server:
        assert send_once(server.url()) == (APPLIED, 200)


def test_an_answer_that_ends_with_its_connection_is_read() -> None:
    def handle(connection: Connection) -> None:
        connection.request()
        connection.send(b"HTTP/1.0 200 OK\r\n\r\n" + RAW)

    with serving(handle) as server:
        assert send_once(server.url()) == (APPLIED, 200)


# Nothing left: not sent.


def test_a_refused_connection_sends_nothing() -> None:
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))
        verdict, status = send_once(f"http://127.0.0.1:{placeholder.getsockname()[1]}")
    assert status == 0
    assert "refused" in unsent(verdict)


@pytest.mark.parametrize("host", ["nothing-here.invalid", f"{'a' * 70}.invalid"])
def test_a_name_that_does_not_resolve_sends_nothing(host: str) -> None:
    verdict, _ = send_once(f"http://{host}")
    assert host in unsent(verdict)


def test_a_connection_that_is_never_accepted_sends_nothing() -> None:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        verdict, _ = send_once(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=SHORT)
    assert "no connection in time" in unsent(verdict)


@pytest.mark.parametrize(
    ("certificate", "ca_file", "words"),
    [
        ("localhost.pem", None, "certificate verify failed"),
        ("elsewhere.pem", AUTHORITY, "ostname mismatch"),
    ],
    ids=["unknown authority", "another host's certificate"],
)
def test_a_failed_handshake_sends_nothing(certificate: str, ca_file: str | None, words: str) -> None:
    with serving(answering(http(updated())), certificate=certificate) as server:
        verdict, _ = send_once(server.url("https", "localhost"), ca_file=ca_file)
    assert words in unsent(verdict)
    assert server.requests == []


def old_client() -> ssl.SSLContext:
    """One that speaks what is no longer spoken."""
    context = ssl.create_default_context(cafile=AUTHORITY)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    return context


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_a_service_that_speaks_old_tls_only_is_not_spoken_to(newest: ssl.TLSVersion) -> None:
    with serving(answering(http(updated())), certificate="localhost.pem", newest=newest) as server:
        with (
            socket.create_connection(("127.0.0.1", server.port)) as sock,
            old_client().wrap_socket(sock, server_hostname="localhost") as old,
        ):
            assert old.version() == newest.name.replace("_", ".")
        verdict, _ = send_once(server.url("https", "localhost"), ca_file=AUTHORITY)
    assert "SSL" in unsent(verdict)
    assert server.requests == []


def test_tls_1_2_is_still_spoken() -> None:
    newest = ssl.TLSVersion.TLSv1_2
    with serving(answering(http(updated())), certificate="localhost.pem", newest=newest) as server:
        assert send_once(server.url("https", "localhost"), ca_file=AUTHORITY) == (APPLIED, 200)


def test_a_service_without_tls_is_not_spoken_to() -> None:
    def handle(connection: Connection) -> None:
        connection.send(b"220 another protocol\r\n")
        connection.wait_for_the_end()

    with serving(handle) as server:
        verdict, _ = send_once(server.url("https", "localhost"), ca_file=AUTHORITY)
    assert "SSL" in unsent(verdict)


def test_a_handshake_that_never_ends_sends_nothing() -> None:
    with serving(Connection.wait_for_the_end) as server:
        verdict, _ = send_once(server.url("https", "localhost"), ca_file=AUTHORITY, timeout=SHORT)
    assert "no connection in time" in unsent(verdict)


def test_a_trusted_certificate_is_enough() -> None:
    with serving(answering(http(updated())), certificate="localhost.pem") as server:
        assert send_once(server.url("https", "localhost"), ca_file=AUTHORITY) == (APPLIED, 200)


def test_workers_share_one_tls_context(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each worker has a connection of its own all the same.
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    with serving(answering(http(updated())), certificate="localhost.pem") as server:
        factory = gateway_factory(account(server.url("https", "localhost")), SECRET, SteadyClock(), ca_file=AUTHORITY)
        first, second = factory(), factory()
        assert first.send(ONE) == second.send(ONE) == (APPLIED, 200)
        first.close()
        second.close()
    assert server.connections == 2


# Something left: nobody can know.


def reset_within_the_request(connection: Connection) -> None:
    connection.sock.recv(40)
    connection.reset()


def reset_after_the_request(connection: Connection) -> None:
    connection.request()
    connection.reset()


def end_after_the_request(connection: Connection) -> None:
    connection.request()


def reset_within_the_head(connection: Connection) -> None:
    connection.request()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    connection.reset()


def end_within_the_body(connection: Connection) -> None:
    connection.request()
    connection.send(http(RAW, length=len(RAW) + 1))


def end_within_chunks(connection: Connection) -> None:
    connection.request()
    connection.send(CHUNKED[:-20])


def garbage(connection: Connection) -> None:
    connection.request()
    connection.send(b"\x00\xff\x16\x03\x01 this is not HTTP\r\n\r\n")


def two_lengths(connection: Connection) -> None:
    connection.request()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 500\r\n\r\n" + RAW)


def endless_head(connection: Connection) -> None:
    connection.request()
    connection.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.send(b"X-More: more\r\n" * 1000)


def upgrade(connection: Connection) -> None:
    connection.request()
    connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")


@pytest.mark.parametrize(
    "handler",
    [
        reset_within_the_request,
        reset_after_the_request,
        end_after_the_request,
        reset_within_the_head,
        end_within_the_body,
        end_within_chunks,
        garbage,
        two_lengths,
        endless_head,
        upgrade,
    ],
)
@pytest.mark.parametrize("certificate", [None, "localhost.pem"], ids=["plain", "TLS"])
def test_a_connection_that_fails_after_the_first_byte_tells_nothing(handler: Handler, certificate: str | None) -> None:
    with serving(handler, certificate=certificate) as server:
        url = server.url("https" if certificate else "http", "localhost")
        verdict, _ = send_once(url, ca_file=AUTHORITY if certificate else None)
    assert "localhost" in lost(verdict) or "HTTP 101" in lost(verdict)
    assert server.connections == 1


def test_a_reset_before_the_request_is_never_taken_for_an_answer() -> None:
    # Whether a byte left before the reset arrived is a race: either is true, and neither claims that anything was done.
    with serving(Connection.reset) as server:
        verdict, status = send_once(server.url())
    assert status == 0
    assert isinstance(verdict, NotSent | Lost)
    assert (server.requests, server.connections) == ([], 1)


def test_half_an_answer_of_a_refusal_tells_nothing_either() -> None:
    def handle(connection: Connection) -> None:
        connection.request()
        connection.send(http(b'{"message": "no"', 400, length=100))

    with serving(handle) as server:
        verdict, status = send_once(server.url())
    assert status == 400
    assert "after HTTP 400" in lost(verdict)


def test_an_answer_that_never_begins_tells_nothing() -> None:
    def handle(connection: Connection) -> None:
        connection.request()
        connection.wait_for_the_end()

    with serving(handle) as server:
        verdict, status = send_once(server.url(), timeout=SHORT)
    assert status == 0
    assert "no complete answer in time" in lost(verdict)


def test_a_request_that_cannot_be_written_in_time_tells_nothing() -> None:
    def handle(connection: Connection) -> None:
        connection.server.over.wait()

    large = (entry(update(postcode="x" * 32 * 1024 * 1024)),)
    with serving(handle, receive_buffer=4096) as server:
        verdict, _ = send_once(server.url(), large, timeout=SHORT)
        assert "could not be written in time" in lost(verdict)


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX-Drip: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n"])
def test_an_answer_that_drips_has_a_total_deadline(start: bytes) -> None:
    def handle(connection: Connection) -> None:
        connection.request()
        connection.send(start)
        while not connection.server.over.wait(0.01):
            connection.send(b"x")

    with serving(handle) as server:
        verdict, _ = send_once(server.url(), timeout=SHORT)
        assert "no complete answer in time" in lost(verdict)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 503 No\r\nContent-Length: 104857600\r\n\r\n",
    ],
    ids=["100 MB", "never-ending", "100 MB of an error"],
)
def test_a_huge_answer_is_not_read_to_its_end(head: bytes) -> None:
    sent = [0]

    def handle(connection: Connection) -> None:
        connection.request()
        connection.send(head)
        piece = b" " * 65536
        while sent[0] < 100 * 1024 * 1024:
            connection.send(piece)
            sent[0] += len(piece)

    with serving(handle) as server:
        verdict, _ = send_once(server.url())
        lost(verdict)
        assert server.finished.acquire(timeout=30)
    assert MAX_BODY <= sent[0] < 100 * 1024 * 1024


def test_a_gzip_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b" " * (64 * 1024 * 1024))
    with serving(answering(http(bomb, 200, "Content-Encoding: gzip"))) as server:
        verdict, _ = send_once(server.url())
    assert "unpacks to more than" in lost(verdict)


@pytest.mark.parametrize("body", [b"", b"<html><body>Welcome</body></html>", b"{", b"\x80\x81"])
def test_an_unreadable_body_under_200_tells_nothing(body: bytes) -> None:
    with serving(answering(http(body))) as server:
        verdict, status = send_once(server.url())
    assert status == 200
    lost(verdict)


@pytest.mark.parametrize("opening", [b"[", b'{"leads":', b'[{"leads":'])
def test_a_deep_answer_tells_nothing(opening: bytes) -> None:
    with serving(answering(http(opening * 100_000))) as server:
        verdict, status = send_once(server.url())
    assert status == 200
    assert "nested too deeply" in lost(verdict)


def test_statuses_come_through() -> None:
    answers = [
        http({"message": f"key {KEY} is wrong"}, 401),
        http({"status": "Error", "message": "bad"}, 422),
        http({"message": "slow"}, 429, "Retry-After: 7"),
        http({"message": "slow"}, 429, "Retry-After: Mon, 23 Nov 2026 12:00:09 GMT"),
        http(b"<html><title>Oops</title></html>", 500),
    ]
    with serving(answering(*answers)) as server, connected(server.url()) as gateway:
        verdicts = [gateway.send(ONE) for _ in answers]
    assert [status for _, status in verdicts] == [401, 422, 429, 429, 500]
    denied = verdicts[0][0]
    assert isinstance(denied, Denied)
    assert "key [api key] is wrong" in denied.message
    assert verdicts[1][0] == Refused("bad")
    assert verdicts[2][0] == NotSent("slow", 7.0, answered=True)
    assert verdicts[3][0] == NotSent("slow", 9.0, answered=True)
    assert verdicts[4][0] == Lost("HTTP 500: Oops")


# Redirects, proxies, cookies: the key goes to one place only.


@pytest.fixture
def recorder() -> Iterator[RawServer]:
    with serving(answering(http(updated()))) as server:
        yield server


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:{port}/?key={key}", "//localhost:{port}/x", "http://[::bad", "\xff"]
)
def test_a_redirect_is_never_followed(recorder: RawServer, status: int, place: str) -> None:
    location = f"Location: {place.format(port=recorder.port, key=KEY)}"
    with serving(answering(http(b"moved", status, location))) as server:
        verdict, seen = send_once(server.url())
    assert isinstance(verdict, Redirected)
    assert seen == status
    assert KEY not in verdict.message
    assert (server.connections, recorder.connections) == (1, 0)


def test_a_name_that_comes_to_mean_another_machine_gives_it_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    # The first answer ends its connection, so that the second request looks the name up again.
    closing, resolve = http(updated(), 200, "Connection: close"), socket.getaddrinfo
    with (
        serving(answering(closing), certificate="localhost.pem") as ours,
        serving(answering(http(updated())), certificate="elsewhere.pem") as other,
        connected(ours.url("https", "localhost"), ca_file=AUTHORITY) as gateway,
    ):
        assert gateway.send(ONE) == (APPLIED, 200)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_asked, **more: resolve("127.0.0.1", other.port, **more))
        verdict, _ = gateway.send(ONE)
    assert "ostname mismatch" in unsent(verdict)
    assert (len(ours.requests), other.connections, other.requests) == (1, 1, [])
    # Wherever the name led, the machine there was asked for the configured one.
    assert (ours.names, other.names) == (["localhost"], ["localhost"])
    assert f"Host: localhost:{ours.port}".lower() in ours.requests[0].decode().lower()


def test_the_environments_proxies_are_not_used(recorder: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, recorder.url())
    with serving(answering(http(updated()))) as server:
        assert send_once(server.url())[1] == 200
    assert recorder.connections == 0


def tunnel(target: Callable[[], int]) -> Handler:
    def handle(connection: Connection) -> None:
        connection.request()
        with socket.create_connection(("127.0.0.1", target())) as onward:
            connection.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=pump, args=(onward, connection.sock), daemon=True)
            back.start()
            pump(connection.sock, onward)
            back.join()

    return handle


def pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def test_a_proxy_that_is_named_carries_the_tunnel_and_sees_no_key() -> None:
    with (
        serving(answering(http(updated())), certificate="localhost.pem") as server,
        serving(tunnel(lambda: server.port)) as proxy,
    ):
        sent = send_once(server.url("https", "localhost"), ca_file=AUTHORITY, proxy=proxy.url())
    assert sent == (APPLIED, 200)
    assert proxy.requests[0].startswith(b"CONNECT localhost:")
    assert KEY.encode() not in b"".join(proxy.requests)


@pytest.mark.parametrize("answer", [http(b"", 407), http(b"", 502), b""])
def test_a_proxy_that_makes_no_tunnel_sends_nothing(answer: bytes) -> None:
    def handle(connection: Connection) -> None:
        connection.request()
        connection.send(answer)

    with serving(handle) as proxy:
        verdict, _ = send_once("https://localhost:1", ca_file=AUTHORITY, proxy=proxy.url())
    unsent(verdict)


@pytest.mark.parametrize("proxy", ["ftp://x", "nonsense", "socks5://h:1", "http://", "http://me:hidden@h:port"])
def test_an_odd_proxy_is_refused_without_being_quoted(proxy: str) -> None:
    with pytest.raises(ConfigError) as caught:
        gateway_factory(account("http://127.0.0.1:1"), SECRET, SteadyClock(), proxy=proxy)
    assert caught.value.code == "SE535"
    assert "hidden" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_an_odd_authority_file_is_refused(tmp_path: Any, content: str | None) -> None:
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=r"authority\.pem") as caught:
        gateway_factory(account("https://localhost"), SECRET, SteadyClock(), ca_file=str(path))
    assert caught.value.code == "SE534"


def test_cookies_are_not_kept() -> None:
    with (
        serving(answering(http(updated(), 200, "Set-Cookie: session=1; Path=/"))) as server,
        connected(server.url()) as gateway,
    ):
        gateway.send(ONE)
        gateway.send(ONE)
    assert len(server.requests) == 2
    assert not any(b"cookie" in request.lower() for request in server.requests)


def test_the_key_shows_in_no_text_of_the_gateway() -> None:
    with connected("http://127.0.0.1:1") as gateway:
        gateway.send(ONE)
        shown = f"{gateway!r} {gateway.__dict__!r} {vars(gateway.__dict__['_client'])!r}"
    assert "gateway to acme" in shown
    assert KEY not in shown


# Connections: kept between requests, never used when they may be closing.


def test_a_connection_is_kept_between_requests() -> None:
    with serving(answering(http(updated()))) as server, connected(server.url()) as gateway:
        for _ in range(5):
            assert gateway.send(ONE) == (APPLIED, 200)
    assert server.connections == 1


def test_a_connection_idle_for_more_than_a_second_is_not_used() -> None:
    clock = SteadyClock()
    with serving(answering(http(updated()))) as server, connected(server.url(), clock=clock) as gateway:
        gateway.send(ONE)
        clock.ahead += 1.001
        assert gateway.send(ONE) == (APPLIED, 200)
        assert server.connections == 2


class JumpingClock(SteadyClock):
    """Jumps ahead after so many looks at it, as a process does that was stopped and goes on."""

    looks: int | None = None

    def monotonic(self) -> float:
        if self.looks is not None:
            self.looks -= 1
            self.ahead += 5.0 if self.looks == -1 else 0.0
        return super().monotonic()


def test_a_process_stopped_before_it_sends_uses_no_old_connection() -> None:
    caught_late = 0
    for looks in range(8):
        clock = JumpingClock()
        with serving(answering(http(updated()))) as server, connected(server.url(), clock=clock) as gateway:
            gateway.send(ONE)
            clock.looks = looks
            verdict, _ = gateway.send(ONE)
            if verdict != APPLIED:
                assert "idle for too long" in unsent(verdict)
                assert len(server.requests) == 1
                caught_late += 1
            clock.looks = None
            assert gateway.send(ONE) == (APPLIED, 200)
    assert caught_late == 1


@pytest.mark.parametrize("looks", range(4))
def test_a_process_stopped_for_too_long_does_not_send_on_a_fresh_connection_either(looks: int) -> None:
    clock = JumpingClock()
    with serving(answering(http(updated()))) as server, connected(server.url(), clock=clock) as gateway:
        leave_by = clock.monotonic() + 3.0
        clock.looks = looks
        unsent(gateway.send(ONE, leave_by=leave_by)[0])
        assert server.requests == []
        clock.looks = None
        assert gateway.send(ONE, leave_by=clock.monotonic() + 3.0) == (APPLIED, 200)


def test_a_connection_that_the_service_closed_is_not_used() -> None:
    def handle(connection: Connection) -> None:
        connection.request()
        connection.send(http(updated()))

    with serving(handle) as server, connected(server.url()) as gateway:
        for _ in range(3):
            assert gateway.send(ONE) == (APPLIED, 200)
            assert server.finished.acquire(timeout=10)
    assert server.connections == 3


def test_an_answer_that_was_there_before_its_request_is_not_believed() -> None:
    good = http({"status": "Success"})
    money = (entry(financials()),)
    with serving(answering(good + good, http({"status": "Error"}))) as server, connected(server.url()) as gateway:
        assert isinstance(gateway.send(money)[0], Elements)
        verdict, status = gateway.send(money)
        assert status == 0
        lost(verdict)
        assert gateway.send(money)[0] == Refused("Error")


def test_nothing_is_ever_sent_twice() -> None:
    with serving(end_after_the_request) as server, connected(server.url()) as gateway:
        for _ in range(3):
            lost(gateway.send(ONE)[0])
    assert (len(server.requests), server.connections) == (3, 3)


def test_entries_that_cannot_share_a_request_are_a_bug_found_before_sending(recorder: RawServer) -> None:
    with connected(recorder.url()) as gateway, pytest.raises(ValueError, match="financials"):
        gateway.send((entry(financials("1")), entry(update("2"))))
    assert recorder.connections == 0
