"""The API key: read from the environment or a file, and wrapped so that it does not end up in a text.

It is wrapped before it is checked, and no frame that raises holds it unwrapped: error reporting tools show locals.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from typing import assert_never

from syncengine.core.errors import ConfigError
from syncengine.core.redaction import Secret
from syncengine.core.settings import EnvKey, FileKey, KeyReference

MAX_KEY = 512
"""Maximum length of a key in characters; a longer text is some other file."""

_KEY = re.compile(r"[!-~]+", re.ASCII)
_AROUND = " \t\r\n"


def resolve_key(
    reference: KeyReference | None, env: Mapping[str, str], *, account: str, warn: Callable[[str], None]
) -> Secret:
    """The key that an account's `api_key` refers to.

    `warn` receives a warning about a key file that others may read. Raises ConfigError (SE530 to SE533) naming the
    variable or file and how to fix it; no message contains any part of the key.
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


def _from_environment(name: str, env: Mapping[str, str], account: str) -> Secret:
    if not env.get(name, "").strip():
        state = "is empty" if name in env else "is not set"
        raise ConfigError(
            f"the API key of account {account} is missing: environment variable {name} {state}",
            code="SE531",
            hint=f"set {name} to the key (in CI: from the secret store), or point api_key at a file: file:PATH",
        )
    return Secret(env[name].strip(_AROUND))


def _from_file(path: str, account: str, warn: Callable[[str], None]) -> Secret:
    try:
        # O_NONBLOCK: opening a named pipe must fail, not block.
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
    # Latin-1 never fails, so _checked can find and name the problem without quoting a byte.
    return Secret(content.removeprefix(b"\xef\xbb\xbf").decode("latin-1").strip(_AROUND))


def _checked(key: Secret, where: str, account: str) -> Secret:
    problem = _problem(key)
    if problem:
        raise ConfigError(
            f"the API key of account {account} in {where} {problem}",
            code="SE533",
            hint="copy the key again from the service's API settings: one word, nothing around it",
        )
    return key


def _problem(key: Secret) -> str:
    """Why the text cannot be a key; empty where it can. Must not raise, since the key is unwrapped here."""
    text = key.reveal()
    if len(text) > MAX_KEY:
        return f"is longer than {MAX_KEY} characters"
    if not text:
        return "is empty"
    return "" if _KEY.fullmatch(text) else "holds spaces, line breaks or characters outside printable ASCII"
