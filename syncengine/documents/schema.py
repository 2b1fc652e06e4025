"""Validates documents against their JSON Schema; every violation has its line and column."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from syncengine.core.errors import Problem
from syncengine.documents.lead_schema import LeadSchema
from syncengine.documents.nodes import Mapping, Node, Scalar, Sequence, SourceText
from syncengine.documents.plain import plain
from syncengine.documents.schema_files import packaged_schema, schema_names, schema_text
from syncengine.documents.validators import compiled

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

    from syncengine.documents.schema_words import Wording

__all__ = ["DocumentSchema", "LeadSchema", "schema_names", "schema_text"]

_LONG = 50
_Path = tuple[str | int, ...]


class DocumentSchema:
    """One of the product's schemas, or its definition `part`, compiled.

    Build it once: building takes milliseconds, a check microseconds.
    """

    def __init__(self, name: str, part: str = "") -> None:
        schema = packaged_schema(name)
        if part:
            schema = {"$schema": schema["$schema"], "$ref": f"#/$defs/{part}", "$defs": schema["$defs"]}
        self._fast = compiled(schema)
        self._schema = schema

    @cached_property
    def _deciding(self) -> Validator:
        # Importing jsonschema takes longer than accepting most documents, and only refusals need it.
        from syncengine.documents.explaining import validator_for

        return validator_for(self._schema)

    def problems(self, node: Node, file: str, lines: SourceText) -> list[Problem]:
        """Every violation in `node`, with its position; [] where it is valid."""
        value = plain(node)
        if self._fast.is_valid(value):
            return []
        from syncengine.documents.schema_words import leaves, place_of, wording

        suspects = [tuple(error.instance_path) for error in self._fast.iter_errors(value)]
        pruned, kept = _pruned(value, (), {path[:length] for path in suspects for length in range(len(path) + 1)})
        found: dict[tuple[int, int, str], Problem] = {}
        places = _Places(node)
        for error in leaves(self._deciding.iter_errors(pruned)):
            path = _restored(error.absolute_path, kept)
            problem = _problem(wording(error, place_of(path)), places, path, file, lines)
            found.setdefault((problem.line, problem.column, problem.message), problem)
        return sorted(found.values(), key=lambda problem: (problem.line, problem.column))


def _pruned(value: Any, path: _Path, suspect: set[_Path]) -> tuple[Any, dict[_Path, list[int]]]:
    """`value` with long lists cut down to the faulty items (and two more), so that explaining is fast.

    Also returns, for each list that was cut, the original indices of its items.
    """
    kept: dict[_Path, list[int]] = {}

    def prune(value: Any, path: _Path) -> Any:
        # What the fast validator accepted needs no explaining, and is not copied.
        if path not in suspect:
            return value
        match value:
            case dict():
                return {key: prune(item, (*path, key)) for key, item in value.items()}
            case list():
                short = len(value) <= _LONG
                kept[path] = [n for n in range(len(value)) if n < 2 or short or (*path, n) in suspect]
                return [prune(value[place], (*path, place)) for place in kept[path]]
            case _:
                return value

    return prune(value, path), kept


def _restored(path: Iterable[str | int], kept: dict[_Path, list[int]]) -> _Path:
    real: _Path = ()
    for part in path:
        places = kept.get(real)
        real = (*real, places[part] if places is not None and isinstance(part, int) else part)
    return real


def _problem(words: Wording, places: _Places, path: _Path, file: str, lines: SourceText) -> Problem:
    line, column = places.of(path, words.at_key)
    return Problem(
        code=words.code,
        message=words.message,
        file=file,
        line=line,
        column=column,
        hint=words.hint,
        excerpt=lines.excerpt(line, column),
    )


class _Places:
    """Positions in a document. Each mapping is scanned once, however many of its keys are faulty."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._entries: dict[int, dict[str, tuple[Scalar, Node]]] = {}

    def of(self, path: Iterable[str | int], key: str | None = None) -> tuple[int, int]:
        """Line and column of the value at `path`, or of its key `key`; those of the nearest ancestor if missing."""
        here: Node = self._node
        for part in path:
            below = self._below(here, part)
            if below is None:
                break
            here = below
        named = self._entry(here, key) if key is not None and isinstance(here, Mapping) else None
        found = named[0] if named is not None else here
        return found.line, found.column

    def _below(self, here: Node, part: str | int) -> Node | None:
        match here, part:
            case Mapping(), str():
                return self._value(here, part)
            case Sequence(items=items), int() if part < len(items):
                return items[part]
            case _:
                return None

    def _value(self, mapping: Mapping, name: str) -> Node | None:
        """The node at which a problem with this value is shown: the key, where the value is empty."""
        entry = self._entry(mapping, name)
        if entry is None:
            return None
        key, value = entry
        return key if isinstance(value, Scalar) and value.text == "" and value.plain else value

    def _entry(self, mapping: Mapping, name: str) -> tuple[Scalar, Node] | None:
        entries = self._entries.get(id(mapping))
        if entries is None:
            entries = self._entries[id(mapping)] = {key.text: (key, value) for key, value in mapping.entries}
        return entries.get(name)
