"""The gateway: sends entries as one HTTP request, and reduces the answer, or its absence, to a verdict.

httpx does not leak to callers: every transport failure ends in `_failure`. The gateway never retries; core/outcomes.py
decides whether anything is sent again.
"""

from __future__ import annotations

import math
import ssl
from datetime import datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpcore
import httpx

from syncengine.core.errors import ConfigError
from syncengine.core.outcomes import LeadEntry, Lost, NotSent, Verdict
from syncengine.core.ports import Clock, Gateway, GatewayFactory
from syncengine.core.redaction import Secret
from syncengine.core.settings import Account
from syncengine.leadbyte.payload import MAX_BODY, clean
from syncengine.leadbyte.requests import HttpRequest, build_request
from syncengine.leadbyte.responses import HttpAnswer, read_answer
from syncengine.leadbyte.transport import RequestProgress, Transport

PATIENCE = 2.0
"""A whole request may take this many times the account's timeout, even while bytes keep arriving."""

# Errors that a transport may raise, most specific first: what could not be done, and whether the error's own text is
# shown. The text of a protocol error is not: it may quote what was sent.
_FAILURES: tuple[tuple[type[Exception], str, bool], ...] = (
    (httpcore.ConnectTimeout, "no connection in time", False),
    (httpcore.WriteTimeout, "the request could not be written in time", False),
    (httpcore.ReadTimeout, "no complete answer in time", False),
    (httpcore.TimeoutException, "no answer in time", False),
    (httpcore.ProxyError, "the proxy refused the connection", True),
    (httpcore.ConnectError, "no connection", True),
    (httpcore.RemoteProtocolError, "the answer is not valid HTTP, or the connection ended within it", False),
    (httpcore.ProtocolError, "the request could not be written as HTTP", False),
    (httpcore.UnsupportedProtocol, "base_url is neither http nor https", False),
    (httpcore.NetworkError, "the connection was lost", True),
    (httpx.HTTPError, "the request failed", False),
    (httpx.InvalidURL, "base_url is not a usable address", False),
    (ssl.SSLError, "the encrypted connection failed", True),
    (UnicodeError, "the host's name cannot be looked up", False),
    (OSError, "the connection failed", True),
)
ERRORS = tuple(error for error, _, _ in _FAILURES)
"""Every exception that a transport may raise."""


def gateway_factory(
    account: Account, key: Secret, clock: Clock, *, ca_file: str | None = None, proxy: str | None = None
) -> GatewayFactory:
    """Makes one gateway for each worker thread; all share one TLS context.

    `ca_file`: PEM file of authorities to trust in place of the default ones. `proxy`: http:// or https:// address of a
    proxy; the environment's proxies are never used. Raises ConfigError (SE534, SE535) where either is unusable.
    """
    context = context_of(account, ca_file)
    via = None if proxy is None else _proxy(proxy)

    def connect() -> Gateway:
        return LeadByteGateway(account, key, clock, context=context, proxy=via)

    return connect


def client_of(
    account: Account, line: RequestProgress, context: ssl.SSLContext | None, proxy: httpx.Proxy | None = None
) -> httpx.Client:
    """A client that sends the key to the configured address only: no redirects, cookies or environment proxies."""
    return httpx.Client(
        base_url=account.base_url,
        transport=Transport(line, context, proxy),
        timeout=httpx.Timeout(account.limits.timeout),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )


def context_of(account: Account, ca_file: str | None) -> ssl.SSLContext | None:
    """The TLS context of an account's connections; None for plain HTTP on loopback. Raises ConfigError (SE534)."""
    return tls_context(ca_file) if account.base_url.lower().startswith("https:") else None


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """The context of every connection, from a PEM file or the default authorities. Raises ConfigError (SE534)."""
    try:
        context = httpx.create_ssl_context(trust_env=False) if ca_file is None else _own_authorities(ca_file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it holds no certificate"
        raise ConfigError(
            f"the certificate authorities in {ca_file or 'the default bundle'} cannot be loaded: {reason}",
            code="SE534",
            hint="name a PEM file that holds the authority's certificate",
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _own_authorities(ca_file: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=ca_file)
    return context


def _proxy(address: str) -> httpx.Proxy:
    try:
        proxy = httpx.Proxy(address)
    except (ValueError, httpx.InvalidURL):
        proxy = None
    if proxy is None or proxy.url.scheme not in ("http", "https") or not proxy.url.host:
        # The address is left out: it may hold a password.
        raise ConfigError(
            "the proxy's address is not usable: it must look like http://HOST:PORT",
            code="SE535",
            hint="correct the proxy's address, or leave it out to connect directly",
        )
    return proxy


class LeadByteGateway:
    """A connection to one account, for one thread."""

    def __init__(
        self,
        account: Account,
        key: Secret,
        clock: Clock,
        *,
        context: ssl.SSLContext | None,
        proxy: httpx.Proxy | None,
    ) -> None:
        self._account = account
        self._key = key
        self._clock = clock
        self._line = RequestProgress(clock.monotonic)
        self._client = client_of(account, self._line, context, proxy)
        self._base = self._client.base_url
        self._addresses: dict[str, httpx.URL] = {}
        self._timeouts = {"timeout": self._client.timeout.as_dict()}

    def __repr__(self) -> str:
        return f"<gateway to {self._account.name}>"

    def send(self, entries: tuple[LeadEntry, ...], *, leave_by: float = math.inf) -> tuple[Verdict, int]:
        """Send one request without retrying. Returns the verdict and the HTTP status (0 where no answer came).

        `leave_by` (monotonic seconds): if the first byte has not left by then, the request is not sent. Raises
        ValueError for entries that cannot share a request; nothing was sent then.
        """
        request = build_request(entries, self._account.wire)
        self._line.begin(PATIENCE * self._account.limits.timeout, leave_by)
        status = 0
        try:
            response = self._client.send(self._written(request), stream=True)
            try:
                status = response.status_code
                answer = received(response)
            finally:
                response.close()
        except ERRORS as error:
            return self._failure(error, status), status
        now = datetime.fromisoformat(self._clock.now())
        return read_answer(answer, entries, now=now, hide=self._key.hide_in), status

    def _written(self, request: HttpRequest) -> httpx.Request:
        # Built here: the client's own method merges addresses, headers and cookies again for every request.
        address = self._addresses.get(request.path)
        if address is None:
            path = self._base.raw_path.rstrip(b"/") + request.path.encode("ascii")
            address = self._addresses[request.path] = self._base.copy_with(raw_path=path)
        return httpx.Request(
            request.method,
            address,
            headers=request.headers(self._key),
            content=request.content(self._key),
            extensions=self._timeouts,
        )

    def _failure(self, error: Exception, status: int) -> Verdict:
        what, telling = failure_words(error)
        words = str(error) if telling else ""
        after = f" after HTTP {status}" if status else ""
        text = f"{self._host()}: {what}{after}{': ' if words else ''}{words}"
        message = clean(self._key.hide_in(text))
        return Lost(message) if self._line.sent else NotSent(f"{message}; nothing was sent")

    def _host(self) -> str:
        return self._base.host

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def failure_words(error: Exception) -> tuple[str, bool]:
    """What one of ERRORS means, and whether the error's own text may be shown with it."""
    return next((what, telling) for kind, what, telling in _FAILURES if isinstance(error, kind))


def received(response: httpx.Response) -> HttpAnswer:
    """The relevant part of the answer: a redirect without its body, anything else up to the size limit."""
    place = str(response.extensions.get("location", ""))
    texts = {"location": place} if place else {}
    for raw, value in response.headers.raw:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        texts[name] = f"{texts[name]}, {text}" if name in texts else text
    status = response.status_code
    if 300 <= status <= 399:
        return HttpAnswer(status=status, headers=texts, body=b"")
    pieces: list[bytes] = []
    size = 0
    for piece in response.iter_raw():
        pieces.append(piece)
        size += len(piece)
        if size > MAX_BODY:
            return HttpAnswer(status=status, headers=texts, body=b"".join(pieces)[:MAX_BODY], whole=False)
    return HttpAnswer(status=status, headers=texts, body=b"".join(pieces))
