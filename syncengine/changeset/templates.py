"""The texts of one change as one template, compiled once and rendered for each row.

From the fastest to the slowest: a text without braces is a constant; `{{ row.column }}` alone is a look-up; all other
texts of the change are joined into one compiled template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from syncengine.changeset.declared import Place
from syncengine.documents.did_you_mean import did_you_mean
from syncengine.documents.nodes import Scalar, place_in
from syncengine.documents.rendering import CHANGE_NAMES, RenderError
from syncengine.tables.sources import Row

# Importing the template engine takes a tenth of the time of a short command, so the first text that needs it imports
# it.
if TYPE_CHECKING:
    from syncengine.documents.expressions import Condition, ExpressionProblem, Expressions, JoinedTemplate

Scope = dict[str, object]

_BRACES = re.compile(r"\{[{%#]")
_LOOKUP = re.compile(r"\{\{ *row\.(?!__)([A-Za-z_][A-Za-z0-9_]*) *\}\}", re.ASCII)
_COLUMN_AGAINST_TEXT = re.compile(
    r" *row\.(?P<column>(?!__)[A-Za-z_][A-Za-z0-9_]{0,99}) *(?P<sign>==|!=) *"
    r"(?P<q>['\"])"
    r"(?P<text>[^'\"\\{}\r\n`\xab\xb4\xbb\u2018-\u201f\u2032\u2033\u2039\u203a\uff02\uff07]{0,500})(?P=q) *",
    re.ASCII,
)
_EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_TOKENS = re.compile(
    r"""(?<![\w.])(?P<name>row|vars|lead)\b(?:\s*\.\s*(?P<dotted>\w+)|\s*\[\s*(?P<q>['"])(?P<item>.*?)(?P=q)\s*\])?"""
    r"""(?P<lenient>\s*\|\s*default\b|\s+is\s+(?:not\s+)?(?:un)?defined\b)?|'[^']*'|"[^"]*\"""",
    re.DOTALL,
)


class Reference(msgspec.Struct, frozen=True):
    """A name that a template uses. `key` is "" for the name alone; `lenient`: the template handles a missing key."""

    name: str
    key: str
    lenient: bool
    offset: int


def is_template(text: str) -> bool:
    """Whether `text` contains template syntax, allowed or not."""
    return _BRACES.search(text) is not None


def references(expression: str, shift: int = 0) -> Iterator[Reference]:
    """The names that an expression uses with a constant key. Quoted texts do not count."""
    for match in _TOKENS.finditer(expression):
        if match["name"] is not None:
            key = match["dotted"] or match["item"] or ""
            yield Reference(match["name"], key, match["lenient"] is not None, match.start() + shift)


def references_in_template(text: str) -> Iterator[Reference]:
    """The same for every expression of a template."""
    for match in _EXPRESSION.finditer(text):
        yield from references(match[1], match.start(1))


@lru_cache(maxsize=8)
def _expressions(names: frozenset[str]) -> Expressions:
    from syncengine.documents.expressions import Expressions

    return Expressions(names)


@lru_cache(maxsize=512)
def _joined(names: frozenset[str], texts: tuple[str, ...]) -> JoinedTemplate | list[tuple[int, ExpressionProblem]]:
    return _expressions(names).compile_joined(texts)


class Rendering:
    """Several compiled texts: `lookups` and `computed` hold the indices that are not constant."""

    def __init__(self, joined: JoinedTemplate | None, lookups: list[tuple[int, str]], computed: list[int]) -> None:
        self._joined = joined
        self.lookups = lookups
        self.computed = computed

    def render(self, scope: Scope) -> list[str]:
        """The computed texts for these values, in order; raises RenderError for the first that fails."""
        return [] if self._joined is None else self._joined.render(scope)

    def render_each(self, scope: Scope) -> list[str | RenderError]:
        """Each computed text or its error. Slow; meant for error reports."""
        return [] if self._joined is None else self._joined.render_each(scope)

    @property
    def is_constant(self) -> bool:
        """Whether nothing depends on the row, the lead or the variables."""
        return not self.lookups and not self.computed


def names_in_scope(*, row: bool, lead: bool) -> frozenset[str]:
    """The names that a template can use, depending on whether there is a row and whether the lead is known already."""
    left_out = {name for name, there in (("row", row), ("lead", lead)) if not there}
    return frozenset(CHANGE_NAMES) - left_out


def compile_texts(
    place: Place, scalars: Sequence[Scalar], names: frozenset[str], misread: list[Scalar]
) -> Rendering | None:
    """The compiled texts, or None where one is invalid, which is reported.

    Texts in which a name may have been read as another are added to `misread`.
    """
    lookups, computed = _by_effort(scalars, has_row="row" in names)
    if not computed:
        return Rendering(None, lookups, computed)
    joined = _joined(names, tuple(scalars[index].text for index in computed))
    if not isinstance(joined, list):
        return Rendering(joined, lookups, computed)
    for position, problem in joined:
        _report(place, scalars[computed[position]], problem, misread)
    return None


def _by_effort(scalars: Sequence[Scalar], *, has_row: bool) -> tuple[list[tuple[int, str]], list[int]]:
    """Texts that are a column of the row alone, with its name, and those that need a template.

    Most texts of a changeset are a column, which is looked up without rendering anything.
    """
    lookups: list[tuple[int, str]] = []
    computed: list[int] = []
    for index, scalar in enumerate(scalars):
        match = _LOOKUP.fullmatch(scalar.text) if has_row else None
        if match is not None:
            lookups.append((index, match[1]))
        elif is_template(scalar.text):
            computed.append(index)
    return lookups, computed


class When:
    """A compiled `when`. The most common form, one column against one text, is compared without the template engine."""

    def __init__(self, compiled: Callable[[], Condition], simple: re.Match[str] | None) -> None:
        self._compiled = compiled
        self._column, self._equal, self._text = (
            ("", True, "") if simple is None else (simple["column"], simple["sign"] == "==", simple["text"])
        )

    def holds(self, scope: Scope, row: Row) -> bool:
        """Whether the row is taken; raises RenderError."""
        if self._column:
            value = row.get(self._column)
            if value.__class__ is str:
                return (value == self._text) is self._equal
        return self._compiled().evaluate(scope)


def compile_condition(place: Place, scalar: Scalar, names: frozenset[str], misread: list[Scalar]) -> When | None:
    """A compiled `when`, or None where it is invalid, which is reported; `misread` as for `compile_texts`."""
    simple = _COLUMN_AGAINST_TEXT.fullmatch(scalar.text) if "row" in names else None
    if simple is not None:
        return When(lambda: _always_compiled(names, scalar.text), simple)
    compiled = _expressions(names).compile_condition(scalar.text)
    if isinstance(compiled, msgspec.Struct):
        _report(place, scalar, compiled, misread)
        return None
    return When(lambda: compiled, None)


@lru_cache(maxsize=64)
def _always_compiled(names: frozenset[str], text: str) -> Condition:
    """A comparison of a column with a text, which cannot be invalid."""
    compiled = _expressions(names).compile_condition(text)
    assert not isinstance(compiled, msgspec.Struct), compiled.message
    return compiled


def check_references(
    place: Place,
    scalar: Scalar,
    found: Iterable[Reference],
    *,
    variables: Collection[str],
    columns: Collection[str] | None,
) -> bool:
    """Check that every variable and column in a text exists; `columns` is None where only the rows know them."""
    fine = True
    for reference in found:
        names = {"vars": variables, "row": columns}.get(reference.name)
        if names is None or not reference.key or reference.key in names:
            continue
        code, what = ("SE316", "column") if reference.name == "row" else ("SE303", "variable")
        place.problem(
            code,
            f"there is no {what} {reference.key!r}",
            place_in(place.text, scalar, reference.offset),
            hint=did_you_mean(reference.key, names) or "declare it under vars",
            severity="warning" if reference.lenient else "error",
        )
        fine = fine and reference.lenient
    return fine


def _report(place: Place, scalar: Scalar, problem: ExpressionProblem, misread: list[Scalar]) -> None:
    if problem.misread:
        misread.append(scalar)
    place.problem(problem.code, problem.message, place_in(place.text, scalar, problem.offset), hint=problem.hint)
