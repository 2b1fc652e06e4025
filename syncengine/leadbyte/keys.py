"""The API key: read from the environment or a file, and wrapped so that it cannot slip into a text."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from typing import NoReturn, assert_never

from syncengine.core.errors import ConfigError
from syncengine.core.settings import EnvKey, FileKey, KeyReference

MAX_KEY = 512
"""Characters of a key; a longer one is some other file."""

SHOWN = "[api key]"
"""What stands wherever the key would be shown."""

_KEY = re.compile(r"[!-~]+", re.ASCII)


class Secret:
    """A text that only `reveal` gives away: printing, formatting, copying, pickling and JSON do not."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself, for the one place that puts it on the wire."""
        return self.__text

    def hide_in(self, text: str) -> str:
        """`text` with every occurrence of the secret replaced: a service may quote the key that it refuses."""
        return text.replace(self.__text, SHOWN) if self.__text else text

    def __repr__(self) -> str:
        return SHOWN

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return SHOWN

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Also what copy.copy and copy.deepcopy end in."""
        raise TypeError("an API key cannot be pickled or copied")


def resolve_key(
    reference: KeyReference | None, env: Mapping[str, str], *, account: str, warn: Callable[[str], None]
) -> Secret:
    """The key that an account's `api_key` points at.

    `warn` hears of a key file that others may read. Raises ConfigError (SE530 to SE533) naming the variable or file and
    the way out; no message holds any part of the key.
    """
    match reference:
        case None:
            raise ConfigError(
                f"account {account} has no api_key, so nothing can be sent to the service",
                code="SE530",
                hint="add `api_key: env:LEADBYTE_API_KEY` to the account and set that variable",
            )
        case EnvKey(name=name):
            return _checked(_from_environment(name, env, account), f"environment variable {name}", account)
        case FileKey(path=path):
            return _checked(_from_file(path, account, warn), f"file {path}", account)
        case _:
            assert_never(reference)


def _from_environment(name: str, env: Mapping[str, str], account: str) -> str:
    text = env.get(name)
    if text is None or not text.strip():
        state = "is not set" if text is None else "is empty"
        raise ConfigError(
            f"the API key of account {account} is missing: environment variable {name} {state}",
            code="SE531",
            hint=f"set {name} to the key (in CI: from the secret store), or point api_key at a file: file:PATH",
        )
    return text


def _from_file(path: str, account: str, warn: Callable[[str], None]) -> str:
    try:
        # O_NONBLOCK: a named pipe must be refused, not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ConfigError(
                    f"the API key of account {account} cannot be read: {path} is not a regular file",
                    code="SE532",
                    hint="let api_key name a file that holds the key and nothing else",
                )
            content = file.read(MAX_KEY + 64)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the path is not usable"
        raise ConfigError(
            f"the API key of account {account} cannot be read from {path}: {reason}",
            code="SE532",
            hint=f"create {path} with the key as its only line (chmod 600), or use api_key: env:LEADBYTE_API_KEY",
        ) from None
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        warn(f"{path} holds the API key of account {account} and is open to other users: chmod 600 {path}")
    # Latin-1 never fails, so that _checked finds and names the problem without quoting a byte.
    return content.decode("latin-1")


def _checked(text: str, where: str, account: str) -> Secret:
    key = text.strip(" \t\r\n")
    if len(key) > MAX_KEY or _KEY.fullmatch(key) is None:
        problem = (
            f"is longer than {MAX_KEY} characters"
            if len(key) > MAX_KEY
            else "is empty"
            if not key
            else "holds spaces, line breaks or characters outside printable ASCII"
        )
        raise ConfigError(
            f"the API key of account {account} in {where} {problem}",
            code="SE533",
            hint="copy the key again from the service's API settings: one word, nothing around it",
        )
    return Secret(key)
