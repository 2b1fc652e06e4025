"""Parses a curl command line as a shell would, without running it: method, address, headers and body.

The API key in it, wherever it occurs, is stored in `secrets` only.
"""

from __future__ import annotations

import re
from typing import NoReturn
from urllib.parse import parse_qs, urlsplit

import msgspec

from syncengine.core.errors import InputError
from syncengine.importing.parts import CURL
from syncengine.importing.request import Call

_PATH = re.compile(
    r"/restapi/(v[0-9.]+)/(leads|leadfinancials|quarantine/process|leads/reprocess|deliveries/trigger|leads/return)/?"
)
_CALLS: dict[str, Call] = {
    "leads": "leads",
    "leadfinancials": "leadfinancials",
    "quarantine/process": "quarantine/process",
    "leads/reprocess": "leads/reprocess",
    "deliveries/trigger": "deliveries/trigger",
    "leads/return": "leads/return",
}
_PUT = frozenset({"leads", "leadfinancials"})
_CURL = re.compile(r"(?:\$\s+)?curl(?:\.exe)?\s")
# No pattern here is ambiguous or backtracks; an unclosed token matches to the end at once.
_PIECE = re.compile(
    r"(?P<blank>[ \t\r\n]+)|(?P<plain>[^ \t\r\n'\"\\]+)|(?P<single>'[^']*')"
    r'|(?P<double>"(?:[^"\\]++|\\.)*+")|(?P<escape>\\.)|(?P<open>[\'"\\].*)',
    re.DOTALL,
)
_ESCAPED = re.compile(r'\\(["\\])')
_CONTINUED = re.compile(r"\\\r?\n")
_OPERATORS = frozenset({"|", "||", "&", "&&", ";", ">", ">>", "<", "2>", "2>&1"})
_KEY_HEADERS = frozenset({"x_key", "x-key", "authorization", "cookie"})

_BODY = frozenset({"-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json"})
_VALUED = _BODY | {
    "-X", "--request", "-H", "--header", "--url", "-o", "--output", "-A", "--user-agent", "-m", "--max-time",
    "--connect-timeout", "--retry", "-e", "--referer", "-w", "--write-out", "-x", "--proxy", "--cacert", "--resolve",
    "-u", "--user", "-b", "--cookie", "-c", "--cookie-jar",
}  # fmt: skip
_SECRETS = frozenset({"-u", "--user", "-b", "--cookie", "-x", "--proxy"})
_FLAGS = frozenset(
    {"-s", "--silent", "-S", "--show-error", "-v", "--verbose", "-i", "--include", "-f", "--fail", "--compressed",
     "--fail-with-body", "--http1.1", "--http2", "-#", "--no-progress-meter", "-L", "--location",
     "-k", "--insecure", "-g", "--globoff"}
)  # fmt: skip
_UNDONE = {
    "-L": "redirects are never followed",
    "--location": "redirects are never followed",
    "-k": "certificates are always verified",
    "--insecure": "certificates are always verified",
    "-x": "proxies are not used",
    "--proxy": "proxies are not used",
}


class BodyFile(msgspec.Struct, frozen=True):
    """The body is in a file, named relative to the folder where the command would run."""

    path: str


class Curl(msgspec.Struct, frozen=True, kw_only=True):
    """The request that the command would send. `host` is without credentials; `secrets` are the keys in it."""

    call: Call
    host: str
    body: str | BodyFile
    notes: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


def looks_like_curl(text: str) -> bool:
    """Whether the first word of the text, after comments and a prompt, is curl."""
    return _CURL.match("".join(_from_the_command(text)).lstrip()) is not None


def parse_curl(text: str, label: str) -> Curl:
    """The request of a curl command. Raises InputError (SE361); no message quotes a header, a body or an address."""
    return _Command(label).read(_words(text, label))


def _from_the_command(text: str) -> list[str]:
    """The lines of the command, without leading comments and blank lines."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text.removeprefix("\ufeff"))
    first = next((n for n, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), len(lines))
    return lines[first:]


def _words(text: str, label: str) -> list[str]:
    command = _CONTINUED.sub("", "".join(_from_the_command(text))).strip().removeprefix("$ ")
    if "$'" in command:
        _refuse(
            label, "it quotes with $'...', which is read differently from shell to shell", "quote the body with '...'"
        )
    try:
        words = split_words(command)
    except ValueError as error:
        _refuse(label, f"its quotes do not pair up ({str(error).lower()})", "copy the whole command again")
    if any(word in _OPERATORS for word in words):
        _refuse(label, "it holds more than one command, or a redirection", "leave out what follows the curl command")
    return words[1:]


_IMPORTABLE = (
    "PUT .../restapi/v1.3/leads and .../leadfinancials, POST .../quarantine/process, .../leads/reprocess, "
    ".../deliveries/trigger and .../leads/return can be imported"
)


def split_words(command: str) -> list[str]:
    """`command` split into words like a POSIX shell does; ValueError where a quote is not closed.

    The result equals that of shlex.split, in linear time: shlex takes minutes for a body of some megabytes.
    """
    words: list[str] = []
    word: list[str] | None = None
    for match in _PIECE.finditer(command):
        if match.lastgroup != "blank":
            word = [] if word is None else word
            word.append(_unquoted(match))
        elif word is not None:
            words.append("".join(word))
            word = None
    return words if word is None else [*words, "".join(word)]


def _unquoted(piece: re.Match[str]) -> str:
    text = piece[0]
    match piece.lastgroup:
        case "single":
            return text[1:-1]
        case "double":
            return _ESCAPED.sub(r"\1", text[1:-1])
        case "escape":
            return text[1:]
        case "plain":
            return text
        case _:
            raise ValueError("No escaped character" if text == "\\" else "No closing quotation")


class _Command:
    def __init__(self, label: str) -> None:
        self._label = label
        self._method = ""
        self._url = ""
        self._body: str | BodyFile | None = None
        self._notes: dict[str, None] = {}
        self._secrets: list[str] = []

    def read(self, words: list[str]) -> Curl:
        rest = iter(words)
        for word in rest:
            if not word.startswith("-") or word == "-":
                self._address(word)
                continue
            for option, value in self._options(word):
                if option in _VALUED:
                    value = next(rest, None) if value is None else value  # noqa: PLW2901  # the next word is the value
                    if value is None:
                        self._fail(f"its option {option} has no value", "copy the whole command again")
                    self._valued(option, value)
                elif option in _UNDONE:
                    self._notes[f"{option} is left out: {_UNDONE[option]}"] = None
        return self._request()

    def _options(self, word: str) -> list[tuple[str, str | None]]:
        """The options in one word, with the value attached to the last one: -XPUT, -sSL, --request=PUT."""
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            self._known(name)
            return [(name, value if equals else None)]
        found: list[tuple[str, str | None]] = []
        for place in range(1, len(word)):
            option = f"-{word[place]}"
            self._known(option)
            if option in _VALUED:
                return [*found, (option, word[place + 1 :] or None)]
            found.append((option, None))
        return found

    def _known(self, option: str) -> None:
        if option not in _VALUED and option not in _FLAGS:
            self._fail(f"its option {option[:40]} is not understood", "keep -X, -H, -d and the address")

    def _valued(self, option: str, value: str) -> None:
        if option in _BODY:
            self._data(option, value)
        elif option in ("-X", "--request"):
            self._method = value
        elif option in ("-H", "--header"):
            self._header(value)
        elif option == "--url":
            self._address(value)
        elif option in _SECRETS:
            self._secrets.extend(part for part in (value, value.partition(":")[2]) if len(part) > 3)
            self._notes[f"{option} is left out" + (f": {_UNDONE[option]}" if option in _UNDONE else "")] = None

    def _data(self, option: str, value: str) -> None:
        if self._body is not None:
            self._fail("it gives the body in several pieces", "join them into one -d '...'")
        if option == "--data-raw" or not value.startswith("@"):
            self._body = value
        elif value in ("@-", "@"):
            self._fail("its body comes from standard input", "name the file that holds it: -d @body.json")
        else:
            self._body = BodyFile(value[1:])

    def _header(self, header: str) -> None:
        name, _, value = header.partition(":")
        if name.strip().lower() in _KEY_HEADERS and value.strip():
            self._secrets.append(value.strip())

    def _address(self, url: str) -> None:
        if self._url:
            self._fail(
                "it names two addresses, or a word that is no option", "quote the body and the headers with '...'"
            )
        self._url = url

    def _request(self) -> Curl:
        try:
            parts = urlsplit(self._url if "//" in self._url else f"//{self._url}")
            host = parts.hostname or ""
        except ValueError:
            self._fail("its address cannot be read", _IMPORTABLE)
        match = _PATH.fullmatch(parts.path)
        if match is None:
            self._fail("its address is none of a request that a changeset can express", _IMPORTABLE)
        self._secrets.extend(parse_qs(parts.query).get("key", []))
        if parts.password:
            self._secrets.append(parts.password)
        revision, path = match.groups()
        body = self._sent_body(path)
        ours = "v1.2, or the account's wire.returns" if path == "leads/return" else "v1.3"
        if revision != ours[:4]:
            self._notes[f"the address was that of {revision}; syncengine sends to {ours}"] = None
        return Curl(
            call=_CALLS[path],
            host=host,
            body=body,
            notes=tuple(self._notes),
            secrets=tuple(self._secrets),
        )

    def _sent_body(self, path: str) -> str | BodyFile:
        method = self._method or ("POST" if self._body is not None else "GET")
        expected = "PUT" if path in _PUT else "POST"
        if method.upper() != expected:
            advice = f"add -X {expected} if that was forgotten; {_IMPORTABLE}"
            self._fail(f"its method is {method[:10]}, not {expected}", advice)
        if self._body is None:
            self._fail("it has no body", "give the body with -d")
        return self._body

    def _fail(self, reason: str, hint: str) -> NoReturn:
        _refuse(self._label, reason, hint)


def _refuse(label: str, reason: str, hint: str) -> NoReturn:
    raise InputError(f"the curl command in {label} cannot be imported: {reason}", code=CURL, hint=hint)
