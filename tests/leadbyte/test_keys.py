"""The key: where it comes from, and that it shows nowhere."""

from __future__ import annotations

import copy
import json
import os
import pickle
from pathlib import Path

import msgspec
import pytest

from syncengine.core.errors import ConfigError
from syncengine.core.settings import EnvKey, FileKey, KeyReference
from syncengine.leadbyte import Secret, resolve_key

from .samples import KEY


def resolve(reference: KeyReference | None, **env: str) -> tuple[Secret, list[str]]:
    warnings: list[str] = []
    return resolve_key(reference, env, account="acme", warn=warnings.append), warnings


def test_a_secret_shows_nowhere() -> None:
    secret = Secret(KEY)
    shown = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret!r:>40}",
        "{}, {!s}".format(secret, secret),  # noqa: UP032
        f"{[secret]} { {'key': secret} }",
    ]
    assert not any(KEY in text for text in shown)
    assert secret.reveal() == KEY


@pytest.mark.parametrize("leak", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, msgspec.json.encode, vars, iter])
def test_a_secret_cannot_be_copied_into_anything(leak: object) -> None:
    with pytest.raises(TypeError) as caught:
        leak(Secret(KEY))  # type: ignore[operator]
    assert KEY not in str(caught.value)


def test_a_secret_is_taken_out_of_a_text() -> None:
    assert Secret(KEY).hide_in(f"Invalid key {KEY}!") == "Invalid key [api key]!"


def test_from_the_environment() -> None:
    secret, warnings = resolve(EnvKey("LEADBYTE_API_KEY"), LEADBYTE_API_KEY=f"{KEY}\n")
    assert (secret.reveal(), warnings) == (KEY, [])


def test_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"{KEY}\r\n")
    path.chmod(0o600)
    secret, warnings = resolve(FileKey(str(path)))
    assert (secret.reveal(), warnings) == (KEY, [])


def test_an_open_file_is_warned_about(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(KEY)
    path.chmod(0o644)
    secret, warnings = resolve(FileKey(str(path)))
    assert secret.reveal() == KEY
    assert warnings == [f"{path} holds the API key of account acme and is open to other users: chmod 600 {path}"]


@pytest.mark.parametrize(
    ("reference", "env", "code", "named"),
    [
        (None, {}, "SE530", "account acme"),
        (EnvKey("LEADBYTE_API_KEY"), {}, "SE531", "LEADBYTE_API_KEY is not set"),
        (EnvKey("LEADBYTE_API_KEY"), {"LEADBYTE_API_KEY": " \n"}, "SE531", "LEADBYTE_API_KEY is empty"),
        (EnvKey("LEADBYTE_API_KEY"), {"LEADBYTE_API_KEY": "two words"}, "SE533", "LEADBYTE_API_KEY"),
        (EnvKey("LEADBYTE_API_KEY"), {"LEADBYTE_API_KEY": "caf\u00e9key"}, "SE533", "LEADBYTE_API_KEY"),
        (EnvKey("LEADBYTE_API_KEY"), {"LEADBYTE_API_KEY": "k" * 513}, "SE533", "longer than 512"),
        (FileKey("/nonexistent/key"), {}, "SE532", "/nonexistent/key"),
        (FileKey("/dev/null"), {}, "SE532", "not a regular file"),
        (FileKey("a\0b"), {}, "SE532", "cannot be read"),
    ],
)
def test_a_missing_or_odd_key_names_the_way_out(
    reference: KeyReference | None, env: dict[str, str], code: str, named: str
) -> None:
    with pytest.raises(ConfigError, match=r"account acme") as caught:
        resolve(reference, **env)
    assert caught.value.code == code
    assert named in str(caught.value)
    assert caught.value.hint
    assert not any(value.strip() and value in str(caught.value) for value in env.values())


@pytest.mark.parametrize("content", [b"", b"\n", b"a b", b"line\nline", b"\xff\xfe", b"\x00", b"k" * 100_000])
def test_a_file_that_holds_no_key(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError) as caught:
        resolve(FileKey(str(path)))
    assert caught.value.code == "SE533"
    assert str(path) in str(caught.value)


def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="not a regular file"):
        resolve(FileKey(str(path)))
