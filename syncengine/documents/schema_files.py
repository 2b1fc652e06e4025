"""Locates the JSON Schemas: inside the installed package, or at the top of a checkout. The only look-up."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from syncengine.core.errors import InputError
from syncengine.documents.did_you_mean import did_you_mean

_SUFFIX = ".schema.json"


def schema_names() -> list[str]:
    """Names of the available schemas, such as "changeset.v1"."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in _folder().glob(f"*{_SUFFIX}"))


def schema_text(name: str) -> bytes:
    """The bytes of a schema. Raises InputError listing the available ones. "changeset" means its newest version."""
    names = schema_names()
    matching = [known for known in names if name.removesuffix(_SUFFIX) in (known, known.rpartition(".")[0])]
    if not matching:
        raise InputError(f"there is no schema called {name!r}", code="SE901", hint=did_you_mean(name, names))
    return (_folder() / f"{matching[-1]}{_SUFFIX}").read_bytes()


@cache
def packaged_schema(name: str) -> dict[str, Any]:
    """A schema as a value. It is shared, so callers must not change it."""
    value: dict[str, Any] = json.loads(schema_text(name))
    return value


def _folder() -> Path:
    package = Path(__file__).resolve().parent.parent
    packaged = package / "schemas"
    return packaged if packaged.is_dir() else package.parent / "schemas"
