"""Keywords of JSON Schema by draft: which contain subschemas, and which a draft does not define.

A validator ignores a keyword that its draft does not define, so a misspelt rule would check nothing. Names that begin
with `x-` are extensions: they may be anywhere, and their content is not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from syncengine.documents.did_you_mean import did_you_mean

Draft = Literal["2020-12", "2019-09", "draft-07"]
Place = tuple[str | int, ...]

DRAFTS: Mapping[str, Draft] = {
    "https://json-schema.org/draft/2020-12/schema": "2020-12",
    "https://json-schema.org/draft/2019-09/schema": "2019-09",
    "http://json-schema.org/draft-07/schema": "draft-07",
}
DEFAULT_DRAFT = "https://json-schema.org/draft/2020-12/schema"
"""The default draft."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ONE = _words(
    """
    additionalItems additionalProperties contains contentSchema else if items not propertyNames then
    unevaluatedItems unevaluatedProperties
    """
)
_LISTS = frozenset({"allOf", "anyOf", "items", "oneOf", "prefixItems"})
_MAPS = frozenset({"$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"})
_ANNOTATIONS = _words("$comment title description default examples deprecated readOnly writeOnly")
_SHARED = _ANNOTATIONS | _words(
    """
    $schema $id $ref definitions allOf anyOf oneOf not if then else type enum const multipleOf maximum
    exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern format items maxItems minItems
    uniqueItems contains maxProperties minProperties required properties patternProperties additionalProperties
    propertyNames contentMediaType contentEncoding
    """
)
_SINCE_2019 = _words(
    """
    $defs $anchor $vocabulary dependentRequired dependentSchemas maxContains minContains unevaluatedItems
    unevaluatedProperties contentSchema
    """
)
_ONLY_2019 = frozenset({"$recursiveRef", "$recursiveAnchor"})
_SINCE_2020 = frozenset({"prefixItems", "$dynamicRef", "$dynamicAnchor"})
KEYWORDS: Mapping[Draft, frozenset[str]] = {
    "draft-07": _SHARED | {"dependencies", "additionalItems"},
    "2019-09": _SHARED | _SINCE_2019 | _ONLY_2019 | {"additionalItems"},
    "2020-12": _SHARED | _SINCE_2019 | _SINCE_2020,
}
_OF_DRAFT = (
    (_SINCE_2019, "2019-09"),
    (_SINCE_2020, "2020-12"),
    (_ONLY_2019, "2019-09"),
    (frozenset({"dependencies"}), "draft-07"),
    (frozenset({"additionalItems"}), "2019-09 and before"),
)
_NAME_A_DRAFT = "let $schema name a draft that has it; without $schema the draft is 2020-12"
_INSTEAD: Mapping[Draft, Mapping[str, str]] = {
    "draft-07": {
        "$defs": "use definitions",
        "dependentRequired": "use dependencies",
        "dependentSchemas": "use dependencies",
        "prefixItems": "use items, with a list",
        "unevaluatedProperties": "use additionalProperties",
        "unevaluatedItems": "use additionalItems",
        "contentSchema": "leave it out",
        "$anchor": "leave it out: references begin with '#/'",
    },
    "2019-09": {"dependencies": "use dependentRequired or dependentSchemas", "prefixItems": "use items, with a list"},
    "2020-12": {"dependencies": "use dependentRequired or dependentSchemas", "additionalItems": "use items"},
}


def walk(schema: Any) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Every subschema with its path, the schema itself first. Anything that is not a schema is skipped."""
    waiting: list[tuple[Place, Any]] = [((), schema)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, dict):
            yield place, value
            waiting.extend(((*place, *inner), item) for inner, item in below(value))


def below(schema: dict[str, Any]) -> Iterator[tuple[Place, Any]]:
    """The direct children that should be schemas, with their paths."""
    for keyword, value in schema.items():
        if isinstance(value, dict) and keyword in _MAPS:
            yield from (((keyword, name), inner) for name, inner in value.items())
        elif isinstance(value, list) and keyword in _LISTS:
            yield from (((keyword, index), inner) for index, inner in enumerate(value))
        elif keyword in _ONE:
            yield (keyword,), value


def rebuilt(schema: dict[str, Any], change: Callable[[Place, Any], Any]) -> dict[str, Any]:
    """A copy with every direct subschema replaced by `change(path, subschema)`."""
    copy = dict(schema)
    for place, value in below(schema):
        keyword, *rest = place
        if not rest:
            copy[str(keyword)] = change(place, value)
            continue
        if copy[str(keyword)] is schema[str(keyword)]:
            copy[str(keyword)] = schema[str(keyword)].copy()
        copy[str(keyword)][rest[0]] = change(place, value)
    return copy


def draft_of(schema: Mapping[str, Any]) -> Draft | None:
    """The draft of a schema; None where it is not a known one."""
    return DRAFTS.get(str(schema.get("$schema", DEFAULT_DRAFT)).removesuffix("#"))


def unknown_keywords(schema: dict[str, Any], draft: Draft) -> Iterator[tuple[str, str, str]]:
    """Keywords of one schema that have no effect in this draft, each with a message and a hint."""
    known = KEYWORDS[draft]
    for keyword in schema:
        if keyword not in known and not keyword.startswith("x-"):
            yield (keyword, *_without_effect(keyword, draft))
    if draft == "draft-07" and "$ref" in schema:
        for keyword in (schema.keys() & known) - _ANNOTATIONS - {"$ref", "$schema", "$id", "definitions"}:
            yield keyword, f"draft-07 ignores {keyword!r} beside $ref", "put both into allOf"


def _without_effect(keyword: str, draft: Draft) -> tuple[str, str]:
    of = next((name for names, name in _OF_DRAFT if keyword in names), "")
    if of:
        hint = _INSTEAD[draft].get(keyword, _NAME_A_DRAFT)
        return f"{keyword!r} is a keyword of {of}, and does nothing in {draft}", hint
    message = f"{draft} has no keyword {keyword[:60]!r}, so it would check nothing"
    return message, _meant(keyword, KEYWORDS[draft])


def _meant(keyword: str, known: frozenset[str]) -> str:
    same = next((name for name in known if name.lower() == keyword.lower().replace("_", "").replace("-", "")), None)
    return f"did you mean {same!r}?" if same else f"{did_you_mean(keyword, known)} (extensions begin with x-)"
