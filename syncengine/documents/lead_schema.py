"""An account's own JSON Schema for leads, checked against the fields of every rendered update.

The schema validates what is sent, so every value is a text, and an update holds only some of a lead's fields:
`required` means "every update must carry this field". The fast validator accepts; jsonschema decides about refusals and
explains them. lead_schema_file.py checks the schema itself.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncengine.core.errors import Problem
from syncengine.documents.validators import compiled

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


_UNEVALUATED = frozenset({"unevaluatedProperties", "unevaluatedItems"})


class LeadSchema:
    """A loaded lead schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.known_fields = _known_fields(schema)
        """Names of the fields that it describes; None where it allows further names or describes them elsewhere."""
        self._fast = compiled(schema)
        # The validators disagree about which fields count as evaluated, so the deciding one is asked alone.
        self._may_accept_fast = not _uses(schema, _UNEVALUATED)
        self._schema = schema

    @cached_property
    def _deciding(self) -> Validator:
        # Importing jsonschema takes longer than accepting most documents, and only refusals need it.
        from syncengine.documents.explaining import validator_for

        return validator_for(self._schema)

    @staticmethod
    def load(path: Path) -> LeadSchema | list[Problem]:
        """The schema in a JSON file, or all of its defects."""
        # Few repositories have a lead schema.
        from syncengine.documents.lead_schema_file import read_lead_schema

        read = read_lead_schema(path)
        return LeadSchema(read) if isinstance(read, dict) else read

    def accepts(self, fields: dict[str, str]) -> bool:
        """Whether these fields may be sent."""
        return (self._may_accept_fast and self._fast.is_valid(fields)) or self._deciding.is_valid(fields)

    def findings(self, fields: dict[str, str]) -> list[tuple[str, str]]:
        """The defects of these fields: the field's name ("" for the update as a whole) and a sentence."""
        from syncengine.documents.schema_words import leaves, place_of, wording

        found: dict[tuple[str, str], None] = {}
        for error in leaves(self._deciding.iter_errors(fields)):
            path = list(error.absolute_path)
            words = wording(error, place_of(path) or "the update")
            field = str(path[0]) if path else words.at_key or ""
            hint = words.hint
            if error.validator == "type":
                hint = "the schema sees every value as text: give it type string, with a pattern"
            message = words.message.removesuffix(" in the update")
            found[(field, f"{message} ({hint})" if hint else message)] = None
        return list(found)

    def explain(self, fields: dict[str, str]) -> list[str]:
        """The defects of these fields, a sentence each; no sentence contains a value."""
        return [message for _, message in self.findings(fields)]


def _known_fields(schema: dict[str, Any]) -> frozenset[str] | None:
    named = schema.get("properties")
    elsewhere = ("$ref", "allOf", "anyOf", "oneOf", "if", "dependentSchemas", "patternProperties")
    if not isinstance(named, dict) or not named or any(keyword in schema for keyword in elsewhere):
        return None
    return frozenset(named)


def _uses(schema: Any, keywords: frozenset[str]) -> bool:
    """Whether one of the keywords occurs at any depth."""
    if isinstance(schema, dict):
        return not keywords.isdisjoint(schema) or any(_uses(inner, keywords) for inner in schema.values())
    return isinstance(schema, list) and any(_uses(inner, keywords) for inner in schema)
