"""Reads a lead schema's file and reports every defect of the schema with its location in the file.

Things that a validator would ignore are errors here: a keyword that the draft does not have, a format that is not
supported, a reference to something that is not a schema.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from syncengine.core.errors import InputError, Problem
from syncengine.documents.did_you_mean import did_you_mean
from syncengine.documents.ecma_pattern import PatternError
from syncengine.documents.files import read_bounded
from syncengine.documents.formats import FORMATS
from syncengine.documents.json_places import json_places
from syncengine.documents.nodes import SourceText
from syncengine.documents.schema_keywords import DRAFTS, Draft, Place, draft_of, unknown_keywords, walk
from syncengine.documents.validators import compiled, pattern

_MAX_BYTES = 1024 * 1024
_MAX_DEPTH = 100
_MAX_EXPANDED = 10_000
_TOO_DEEP = "the lead schema is nested too deeply"
_REFUSED_KEYWORDS = {
    "$dynamicRef": "use $ref",
    "$recursiveRef": "use $ref",
    "$id": "leave it out, except at the top",
    "$schema": "leave it out, except at the top",
}


class _Fault(NamedTuple):
    """One defect, at the value or key at `place`."""

    place: Place
    message: str
    hint: str = ""
    code: str = "SE210"


def read_lead_schema(path: Path) -> dict[str, Any] | list[Problem]:
    """A usable schema, or all of its defects."""
    try:
        data = read_bounded(path, _MAX_BYTES)
        schema = _parsed(data, path)
    except InputError as error:
        return list(error.problems) or [Problem(code="SE210", message=error.message, file=str(path), hint=error.hint)]
    faults = list(_faults(schema))
    return _problems(faults, data, path) if faults else schema


def _problems(faults: list[_Fault], data: bytes, path: Path) -> list[Problem]:
    """The faults in the order of the file."""
    from syncengine.documents.schema_words import place_of

    lines = SourceText(data, str(path))
    places = json_places(data.decode("utf-8-sig")) if not any(fault.message == _TOO_DEEP for fault in faults) else {}
    found: dict[tuple[int, int, str], Problem] = {}
    for code, message, hint, place in ((fault.code, fault.message, fault.hint, fault.place) for fault in faults):
        line, column = places.get(place, (0, 0))
        problem = Problem(
            code=code,
            message=f"{place_of(place) or 'the top'}: {message}",
            file=str(path),
            line=line,
            column=column,
            hint=hint,
            excerpt=lines.excerpt(line, column) if line else "",
        )
        found[(line, column, message)] = problem
    return [found[key] for key in sorted(found)]


class _Repeated(ValueError):
    """A duplicate key in one JSON object."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Repeated(next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1))
    return value


def _no_number(text: str) -> Any:
    raise ValueError(text)


def _parsed(data: bytes, path: Path) -> dict[str, Any]:
    try:
        text = data.decode("utf-8-sig")
        schema = json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        message = f"not valid JSON: {error.msg}"
        problem = Problem(code="SE210", message=message, file=str(path), line=error.lineno, column=error.colno)
        raise InputError(problem.message, problems=[problem]) from error
    except _Repeated as error:
        raise InputError(f"the key {str(error)!r} is twice in one object of the lead schema") from error
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        raise InputError("the lead schema is not JSON in UTF-8, or is nested too deeply") from error
    if not isinstance(schema, dict):
        raise InputError("a lead schema is a JSON object", hint='begin with {"type": "object", "properties": {...}}')
    return schema


def _faults(schema: dict[str, Any]) -> Iterator[_Fault]:
    if _is_deep(schema):
        yield _Fault((), _TOO_DEEP)
        return
    draft = draft_of(schema)
    if draft is None:
        named = str(schema["$schema"])[:100]
        yield _Fault(("$schema",), f"the draft {named!r} is not supported", f"use one of: {', '.join(DRAFTS)}")
        return
    found = list(_keyword_faults(schema, draft))
    yield from found
    if found:
        return
    if _is_bounded(schema):
        yield from _shape_faults(schema, draft)
    else:
        yield _Fault((), "its references are circular, or too many", "write the subschemas out")


def _shape_faults(schema: dict[str, Any], draft: Draft) -> Iterator[_Fault]:
    """Defects that the engine refuses. jsonschema, which is slower to import, locates them."""
    try:
        compiled(schema)
    except (ValueError, TypeError, AttributeError) as error:
        from syncengine.documents.explaining import shape_error

        wrong = shape_error(schema, draft)
        if wrong is None:
            yield _Fault((), f"the lead schema cannot be used: {str(error).splitlines()[0][:200]}")
        else:
            yield _Fault(wrong[0], f"not a valid schema: {wrong[1][:200]}")


def _is_deep(schema: Any) -> bool:
    level = [schema]
    for _ in range(_MAX_DEPTH):
        level = [
            item
            for value in level
            if isinstance(value, dict | list)
            for item in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return False
    return True


def _keyword_faults(root: dict[str, Any], draft: Draft) -> Iterator[_Fault]:
    schemas = dict(walk(root))
    known = {id(schema) for schema in schemas.values()}
    unevaluated = any("unevaluatedProperties" in schema for schema in schemas.values())
    for place, schema in schemas.items():
        for keyword, message, hint in unknown_keywords(schema, draft):
            yield _Fault((*place, keyword), message, hint, "SE211")
        yield from _refused_keywords(place, schema)
        if "$ref" in schema:
            yield from _reference_faults(place, schema["$ref"], root, known)
        if "patternProperties" in schema and unevaluated:
            message = "patternProperties cannot be used in a schema with unevaluatedProperties"
            yield _Fault((*place, "patternProperties"), message, "use additionalProperties")
        yield from _pattern_faults(place, schema)


def _refused_keywords(place: Place, schema: dict[str, Any]) -> Iterator[_Fault]:
    for keyword, hint in _REFUSED_KEYWORDS.items():
        if keyword in schema and (place or keyword.endswith("Ref")):
            yield _Fault((*place, keyword), f"{keyword} is not supported", hint)
    if "format" in schema and schema["format"] not in FORMATS:
        name = str(schema["format"])[:100]
        hint = f"use a pattern; {did_you_mean(name, FORMATS)}"
        yield _Fault((*place, "format"), f"the format {name!r} is not checked", hint)


def _reference_faults(place: Place, reference: Any, root: dict[str, Any], known: set[int]) -> Iterator[_Fault]:
    target = _target(root, reference)
    shown = f"the reference {str(reference)[:100]!r}"
    if target is None:
        yield _Fault((*place, "$ref"), f"{shown} leads outside this file or is not found", "references begin with '#/'")
    elif "/patternProperties/" in reference or (isinstance(target, dict) and id(target) not in known):
        yield _Fault((*place, "$ref"), f"{shown} leads to no schema of its own", "put what it names under $defs")


def _pattern_faults(place: Place, schema: dict[str, Any]) -> Iterator[_Fault]:
    named = schema.get("patternProperties")
    places = [((*place, "patternProperties", text), text) for text in (named if isinstance(named, dict) else ())]
    for where, text in [((*place, "pattern"), schema.get("pattern")), *places]:
        if isinstance(text, str):
            wrong = _pattern_fault(text)
            if wrong is not None:
                yield _Fault(where, *wrong)


def _pattern_fault(text: str) -> tuple[str, str] | None:
    """The defect of a pattern, and what to write instead."""
    shown = repr(text[:100])
    try:
        pattern(text)
    except PatternError as error:
        return f"the pattern {shown} is not one of ECMA 262: at character {error.position}, {error}", error.hint
    except ValueError:
        return f"the pattern {shown} cannot be compiled", "it is too large, or names a property that is not known"
    return None


def _target(root: dict[str, Any], reference: Any) -> Any:
    """What a reference within this file points at, or None."""
    # In a URI % begins an encoded character. The two validators would decode it; this code does not.
    if not isinstance(reference, str) or not reference.startswith("#/") or "%" in reference:
        return None
    here: Any = root
    for part in reference[2:].split("/"):
        here = here.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(here, dict) else None
    return here if isinstance(here, dict | bool) else None


def _is_bounded(root: dict[str, Any]) -> bool:
    """Whether every chain of references ends, and the schema stays small when all are expanded."""
    sizes: dict[str, int] = {}
    open_references: set[str] = set()

    def size(value: Any) -> int:
        total = 0
        for _, schema in walk(value):
            total += 1
            reference = schema.get("$ref")
            if reference is not None:
                total += followed(reference)
            if total > _MAX_EXPANDED:
                break
        return total

    def followed(reference: Any) -> int:
        target = _target(root, reference)
        if target is None or reference in open_references or len(open_references) > 100:
            return _MAX_EXPANDED + 1
        if reference not in sizes:
            open_references.add(reference)
            sizes[reference] = size(target)
            open_references.discard(reference)
        return sizes[reference]

    return size(root) <= _MAX_EXPANDED
