"""Templates and conditions: the one sandboxed Jinja environment, for changes, `when` and policy.

A template is compiled once and gives a text. All templates of a change are compiled into one, as a list of values,
so nothing separates them that data could forge. Nothing here reaches a clock, the environment, a file or a Python
attribute, and no work is unbounded.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Mapping as AbstractMapping
from typing import Any, Literal, Never

import msgspec
from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, Undefined, nodes
from jinja2 import Template as JinjaTemplate
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from syncengine.documents.allowlist import OWN_FILTERS, TESTS, Refused, checked, own_filter
from syncengine.documents.did_you_mean import nearest
from syncengine.documents.filters import FILTERS, kind_of_value
from syncengine.documents.rendering import CHANGE_NAMES, MAX_TEXT, FilterError, RenderError

_BRACES = re.compile(r"\{[{%#]")
_RESULT = "result"
_CONDITIONS = {"row": "row.status == 'approved'", "op": "op.kind == 'trigger'", "plan": "plan.leads > 100"}
"""An example of a condition for each name that conditions speak of."""
_FAILURES = (FilterError, UndefinedError, SecurityError, TypeError, ValueError, ArithmeticError, LookupError)


class ExpressionProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a text is no template or condition. `offset` counts characters from 0, `line` from 1, within that text."""

    message: str
    hint: str = ""
    offset: int = 0
    line: int = 1


class _Missing(StrictUndefined):
    """A value that is not there; any use of it but `default` and `is defined` raises."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if isinstance(self._undefined_obj, AbstractMapping):
            return f"there is no {self._undefined_name!r} here"
        if self._undefined_obj is None or isinstance(self._undefined_obj, str | int):
            return f"{kind_of_value(self._undefined_obj)} has no {self._undefined_name!r}"
        return f"{self._undefined_name!r} is not known here"

    def _fail_with_undefined_error(self, *_args: Any, **_kwargs: Any) -> Never:
        known = self._undefined_obj if isinstance(self._undefined_obj, AbstractMapping) else None
        hint = nearest(str(self._undefined_name), [str(name) for name in known]) if known is not None else ""
        if isinstance(self._undefined_obj, str):
            hint = f"it is a plain text: leave out '.{self._undefined_name}'"
        raise FilterError(self._undefined_message, hint)

    __str__ = __len__ = __iter__ = __bool__ = __eq__ = __ne__ = _fail_with_undefined_error
    __hash__ = Undefined.__hash__  # type: ignore[assignment]  # it raises there; unhashable values must not differ


class _Environment(ImmutableSandboxedEnvironment):
    """Looks values up by key in mappings, and nowhere else."""

    def __init__(self, *, missing_is_none: bool) -> None:
        # Unoptimised: constant parts would be worked out while compiling, and what is wrong with them told as a bug.
        super().__init__(
            optimized=False, undefined=_Missing, autoescape=False, keep_trailing_newline=True, cache_size=0
        )
        self.filters = {**FILTERS, **OWN_FILTERS}
        self.tests = {name: self.tests[name] for name in TESTS}
        self.globals = {}
        self._missing_is_none = missing_is_none

    def getitem(self, obj: Any, argument: Any) -> Any:
        """The value under a text key; missing ones are undefined. Attributes are never looked at."""
        if isinstance(obj, dict | AbstractMapping) and isinstance(argument, str):
            try:
                return obj[argument]
            except KeyError:
                return None if self._missing_is_none else _Missing(obj=obj, name=argument)
        if isinstance(obj, Undefined):
            obj._fail_with_undefined_error()
        return _Missing(obj=None if obj is None else "" if isinstance(obj, str) else 0, name=str(argument)[:100])

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Never an attribute: rewriting leaves no attribute access, and this is the second lock."""
        return self.getitem(obj, attribute)


class Template:
    """One text with its expressions compiled."""

    def __init__(self, joined: JoinedTemplate) -> None:
        self._joined = joined

    def render(self, scope: AbstractMapping[str, object]) -> str:
        """The text for these values; raises RenderError."""
        return self._joined.render(scope)[0]


class JoinedTemplate:
    """Several texts, rendered together by one compiled template."""

    def __init__(self, expressions: Expressions, parts: Sequence[str | nodes.Expr]) -> None:
        self._expressions = expressions
        self._parts = tuple(parts)
        texts = [part for part in parts if isinstance(part, str)]
        self._constant = texts if len(texts) == len(parts) else None
        self._compiled = None if self._constant is not None else expressions.compiled_list(self._parts)
        self._alone: dict[int, JinjaTemplate] = {}

    @property
    def is_constant(self) -> bool:
        """Whether no text holds a template: what is rendered never changes."""
        return self._constant is not None

    def render(self, scope: AbstractMapping[str, object]) -> list[str]:
        """The texts for these values, in order; raises RenderError for the first that fails."""
        if self._compiled is None:
            return list(self._constant or ())
        try:
            return evaluated(self._compiled, scope)  # type: ignore[no-any-return]
        except _FAILURES as error:
            raise self._located(error, scope) from None

    def _located(self, error: Exception, scope: AbstractMapping[str, object]) -> RenderError:
        """Which of the texts failed: each is tried alone."""
        each = self.render_each(scope)
        return next((text for text in each if isinstance(text, RenderError)), None) or _render_error(error, 0)

    def render_each(self, scope: AbstractMapping[str, object]) -> list[str | RenderError]:
        """Each text for these values, or what is wrong with it, in order; slow, for those who report failures."""
        return [self._one(index, part, scope) for index, part in enumerate(self._parts)]

    def _one(self, index: int, part: str | nodes.Expr, scope: AbstractMapping[str, object]) -> str | RenderError:
        if isinstance(part, str):
            return part
        if index not in self._alone:
            self._alone[index] = self._expressions.compiled_list([part])
        try:
            return str(evaluated(self._alone[index], scope)[0])
        except _FAILURES as error:
            return _render_error(error, index)


class Condition:
    """An expression that is true or false."""

    def __init__(self, compiled: JinjaTemplate, *, none_is_false: bool) -> None:
        self._compiled = compiled
        self._none_is_false = none_is_false

    def evaluate(self, scope: AbstractMapping[str, object]) -> bool:
        """Whether it holds; raises RenderError where it fails or gives anything but true or false."""
        try:
            result = evaluated(self._compiled, scope)
            if isinstance(result, Undefined):
                result._fail_with_undefined_error()
        except _FAILURES as error:
            raise _render_error(error, 0) from None
        if isinstance(result, bool):
            return result
        if result is None and self._none_is_false:
            return False
        hint = "compare it, as in row.status == 'approved'"
        raise RenderError(f"the condition gives {kind_of_value(result)}, not true or false", hint=hint)


class Expressions:
    """Compiles the expressions of one place. `names` are the ones known there.

    `missing` says what a key that is not there gives: an error, or none (then a condition that gives none is false).
    """

    def __init__(self, names: Collection[str] = CHANGE_NAMES, *, missing: Literal["error", "none"] = "error") -> None:
        self._names = frozenset(names)
        self._none = missing == "none"
        self._environment = _Environment(missing_is_none=self._none)

    def compile_value(self, text: str) -> Template | ExpressionProblem:
        """One text as a template; without braces it stands for itself."""
        joined = self.compile_joined([text])
        return joined[0][1] if isinstance(joined, list) else Template(joined)

    def compile_joined(self, texts: Sequence[str]) -> JoinedTemplate | list[tuple[int, ExpressionProblem]]:
        """Several texts as one template, or what is wrong with each that is at fault, by its place."""
        parts: list[str | nodes.Expr] = []
        problems: list[tuple[int, ExpressionProblem]] = []
        for index, text in enumerate(texts):
            part = text if _BRACES.search(text) is None else self._parsed(text)
            if isinstance(part, ExpressionProblem):
                problems.append((index, part))
            else:
                parts.append(part)
        return problems or JoinedTemplate(self, parts)

    def compile_condition(self, text: str) -> Condition | ExpressionProblem:
        """An expression without braces."""
        example = next((example for name, example in _CONDITIONS.items() if name in self._names), "")
        if _BRACES.search(text) is not None:
            return ExpressionProblem(message="a condition is written without braces", hint=example)
        if not text.strip():
            return ExpressionProblem(message="the condition is empty", hint=example)
        parsed = self._parsed("{{" + text + "}}", shift=2)
        if isinstance(parsed, ExpressionProblem):
            return parsed
        inner = parsed.node if isinstance(parsed, nodes.Filter) and parsed.node is not None else parsed
        return Condition(self._compiled(inner), none_is_false=self._none)

    def compiled_list(self, parts: Iterable[str | nodes.Expr]) -> JinjaTemplate:
        """A compiled template whose result is the list of these parts."""
        items = [nodes.Const(part) if isinstance(part, str) else part for part in parts]
        return self._compiled(nodes.List(items))

    def _compiled(self, expression: nodes.Expr) -> JinjaTemplate:
        body: list[nodes.Node] = [nodes.Assign(nodes.Name(_RESULT, "store"), expression, lineno=1)]
        tree = nodes.Template(body, lineno=1)
        tree.set_environment(self._environment)
        return self._environment.from_string(tree)

    def _parsed(self, text: str, shift: int = 0) -> nodes.Expr | ExpressionProblem:
        """The text as one expression that prints, checked and rewritten."""
        if len(text) > MAX_TEXT:
            return ExpressionProblem(message=f"a template has at most {MAX_TEXT:,} characters")
        if "\r" in text:
            hint = "leave the carriage return out; a block text ('|') gives plain line breaks"
            return ExpressionProblem(message="a carriage return stands in a template", hint=hint)
        try:
            return self._assembled(text)
        except Refused as error:
            offset, line = _find(text, error.token)
            return ExpressionProblem(message=error.message, hint=error.hint, offset=max(offset - shift, 0), line=line)
        except TemplateSyntaxError as error:
            start = sum(len(part) for part in text.splitlines(keepends=True)[: error.lineno - 1])
            brace = max(text.find("{{", start), 0)
            message = f"template syntax: {error.message}"
            hint = "" if shift else "an expression looks like {{ row.postcode }}; write {{ '{{' }} for two braces"
            return ExpressionProblem(message=message, hint=hint, offset=max(brace - shift, 0), line=error.lineno)
        except (TemplateError, RecursionError, ValueError, OverflowError, MemoryError):
            return ExpressionProblem(message="the expression is too long or nested too deeply", hint="simplify it")

    def _assembled(self, text: str) -> nodes.Expr:
        for _, token, _ in self._environment.lex(text):
            if token in ("block_begin", "raw_begin"):
                raise Refused("statements ({% ... %}) are not allowed", hint="only {{ expressions }} are", token="{%")
            if token in ("comment_begin", "comment"):
                hint = "use a YAML comment outside the quotes"
                raise Refused("template comments ({# ... #}) are not allowed", hint=hint, token="{#")
        parts = [part for output in self._environment.parse(text).body for part in _printed_parts(output, self._names)]
        if not parts:
            return nodes.Const("")
        if len(parts) == 1:
            return own_filter("_printed", parts[0])
        return own_filter("_printed", own_filter("_joined", *parts))


def _printed_parts(output: nodes.Node, names: Collection[str]) -> list[nodes.Expr]:
    if not isinstance(output, nodes.Output):
        raise Refused("only {{ expressions }} are allowed")
    return [
        nodes.Const(part.data) if isinstance(part, nodes.TemplateData) else checked(part, names)
        for part in output.nodes
    ]


def evaluated(compiled: JinjaTemplate, scope: AbstractMapping[str, object]) -> Any:
    """The result of a template made by `Expressions`."""
    context = compiled.new_context(scope, shared=True)  # type: ignore[arg-type]
    for _ in compiled.root_render_func(context):
        pass
    return context.vars[_RESULT]


def _find(text: str, token: str) -> tuple[int, int]:
    match = re.search(rf"(?<![\w]){re.escape(token)}", text) if token else None
    offset = match.start() if match is not None else max(text.find("{{"), 0)
    return offset, text.count("\n", 0, offset) + 1


def _render_error(error: Exception, index: int) -> RenderError:
    hint = error.hint if isinstance(error, FilterError) else ""
    message = str(error) or type(error).__name__
    return RenderError(message, index=index, hint=hint)
