"""Templates and conditions: the one sandboxed Jinja environment, for changes, `when` and policy.

A template is compiled once and renders to text. All templates of a change are compiled into one that returns a list of
values, so there is no separator that data could forge. Expressions cannot reach a clock, the environment, a file or a
Python attribute, and their work is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from collections.abc import Mapping as AbstractMapping
from typing import Any, Literal, Never

import msgspec
from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, Undefined, nodes
from jinja2 import Template as JinjaTemplate
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from syncengine.documents.did_you_mean import did_you_mean
from syncengine.documents.expression_allowlist import TESTS, check
from syncengine.documents.filters import FILTERS, kind_of_value
from syncengine.documents.rendering import CHANGE_NAMES, MAX_TEXT, FilterError, Names, RenderError
from syncengine.documents.rewriting import OWN_FILTERS, OWN_TESTS, RewriteRefused, Rewriting, own_filter
from syncengine.documents.typed_mistakes import corrected, mistakes_in

_BRACES = re.compile(r"\{[{%#]")
_RESULT = "result"
_MOST_EXPLAINED = 2_000
_MOST_SHOWN = 300
_Assembled = Callable[[list[nodes.Expr]], nodes.Expr]
_CONDITIONS = {"row": "row.status == 'approved'", "op": "op.kind == 'trigger'", "plan": "plan.leads > 100"}
"""An example condition for each name that conditions can use."""
_OF_A_ROW = re.compile(r"\brow\.\w+")
_FAILURES = (FilterError, UndefinedError, SecurityError, TypeError, ValueError, ArithmeticError, LookupError)


class ExpressionProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a text is not a valid template or condition. `offset` counts characters from 0, `line` from 1, within that
    text."""

    message: str
    code: str = "SE302"
    hint: str = ""
    offset: int = 0
    line: int = 1
    misread: bool = False
    """Whether a name in it may have been read as another: `row.First Name` is not a column called First."""


class _Missing(StrictUndefined):
    """An undefined value. Any use of it except `default` and `is defined` raises."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        if isinstance(self._undefined_obj, AbstractMapping):
            return f"there is no {self._undefined_name!r} here"
        if self._undefined_obj is None or isinstance(self._undefined_obj, str | int):
            return f"{kind_of_value(self._undefined_obj)} has no {self._undefined_name!r}"
        return f"{self._undefined_name!r} is not known here"

    def _fail_with_undefined_error(self, *_args: Any, **_kwargs: Any) -> Never:
        known = self._undefined_obj if isinstance(self._undefined_obj, AbstractMapping) else None
        hint = did_you_mean(str(self._undefined_name), [str(name) for name in known]) if known is not None else ""
        if isinstance(self._undefined_obj, str):
            hint = f"it is a plain text: leave out '.{self._undefined_name}'"
        raise FilterError(self._undefined_message, hint)

    __str__ = __len__ = __iter__ = __bool__ = __eq__ = __ne__ = _fail_with_undefined_error
    __hash__ = Undefined.__hash__  # type: ignore[assignment]  # it raises there; unhashable values must not differ


class _Environment(ImmutableSandboxedEnvironment):
    """Looks up keys of mappings only."""

    def __init__(self, *, missing_is_none: bool) -> None:
        # Not optimised: constant folding would evaluate at compile time, and report the user's error as an internal
        # one.
        super().__init__(
            optimized=False, undefined=_Missing, autoescape=False, keep_trailing_newline=True, cache_size=0
        )
        self.filters = {**FILTERS, **OWN_FILTERS}
        self.tests = {name: OWN_TESTS.get(name) or self.tests[name] for name in TESTS}
        self.globals = {}
        self._missing_is_none = missing_is_none

    def getitem(self, obj: Any, argument: Any) -> Any:
        """The value under a text key, or undefined. Never reads attributes."""
        if isinstance(obj, dict | AbstractMapping) and isinstance(argument, str):
            try:
                return obj[argument]
            except KeyError:
                return None if self._missing_is_none else _Missing(obj=obj, name=argument)
        if isinstance(obj, Undefined):
            obj._fail_with_undefined_error()
        return _Missing(obj=None if obj is None else "" if isinstance(obj, str) else 0, name=str(argument)[:100])

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Refuses attribute access. Rewriting leaves none in an expression; this is the second line of defence."""
        return self.getitem(obj, attribute)


class Template:
    """One text with its compiled expressions."""

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
        """Whether no text holds a template, so that the result never changes."""
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
        """The error with the index of the text that failed, found by rendering each text on its own."""
        each = self.render_each(scope)
        return next((text for text in each if isinstance(text, RenderError)), None) or _render_error(error, 0)

    def render_each(self, scope: AbstractMapping[str, object]) -> list[str | RenderError]:
        """The rendered text or the error of each text, in order. Slow; meant for error reports."""
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

    def __init__(self, compiled: JinjaTemplate) -> None:
        self._compiled = compiled

    def evaluate(self, scope: AbstractMapping[str, object]) -> bool:
        """Whether it is true; raises RenderError where it fails or yields anything but a boolean."""
        try:
            return evaluated(self._compiled, scope) is True
        except _FAILURES as error:
            raise _render_error(error, 0) from None


class Expressions:
    """Compiles the expressions of one context. `names` are those it defines, as a mapping with all that each holds.

    `missing` says how a missing key is evaluated: as an error, or as none, as in the rules of a policy.
    """

    def __init__(
        self, names: Collection[str] | Names = CHANGE_NAMES, *, missing: Literal["error", "none"] = "error"
    ) -> None:
        self._names: Names = names if isinstance(names, AbstractMapping) else dict.fromkeys(names, ())
        self._environment = _Environment(missing_is_none=missing == "none")
        self._rewriting = Rewriting(policy=missing == "none")

    def compile_value(self, text: str) -> Template | ExpressionProblem:
        """One text as a template; a text without braces is a constant."""
        joined = self.compile_joined([text])
        return joined[0][1] if isinstance(joined, list) else Template(joined)

    def compile_joined(self, texts: Sequence[str]) -> JoinedTemplate | list[tuple[int, ExpressionProblem]]:
        """Several texts as one template, or the problem of each invalid one, by its index."""
        parts: list[str | nodes.Expr] = []
        problems: list[tuple[int, ExpressionProblem]] = []
        for index, text in enumerate(texts):
            part = text if _BRACES.search(text) is None else self._parsed(text, self._value)
            if isinstance(part, ExpressionProblem):
                problems.append((index, part))
            else:
                parts.append(part)
        return problems or JoinedTemplate(self, parts)

    def compile_condition(self, text: str) -> Condition | ExpressionProblem:
        """Compile a condition, which is an expression without braces."""
        example = next((example for name, example in _CONDITIONS.items() if name in self._names), "")
        if _BRACES.search(text) is not None:
            return self._braces_in_condition(text, example)
        if not text.strip():
            return ExpressionProblem(message="the condition is empty", hint=example)
        parsed = self._parsed("{{" + text + "}}", self._condition, shift=2)
        return parsed if isinstance(parsed, ExpressionProblem) else Condition(self._compiled(parsed))

    def _braces_in_condition(self, text: str, example: str) -> ExpressionProblem:
        without = re.sub(r"\{\{-?(.*?)-?\}\}", lambda match: match[1].strip(), text)
        compares = re.search(r"[=<>]|\b(?:in|is)\b", without) is not None
        fits = compares and without != text and isinstance(self.compile_condition(without), Condition)
        return ExpressionProblem(
            message="a condition is written without braces",
            hint=f"write {without}" if fits else example,
            offset=max(text.find("{"), 0),
        )

    def compiled_list(self, parts: Iterable[str | nodes.Expr]) -> JinjaTemplate:
        """A compiled template whose result is the list of these parts."""
        items = [nodes.Const(part) if isinstance(part, str) else part for part in parts]
        return self._compiled(nodes.List(items))

    def _compiled(self, expression: nodes.Expr) -> JinjaTemplate:
        body: list[nodes.Node] = [nodes.Assign(nodes.Name(_RESULT, "store"), expression, lineno=1)]
        tree = nodes.Template(body, lineno=1)
        tree.set_environment(self._environment)
        return self._environment.from_string(tree)

    def _parsed(self, text: str, assembled: _Assembled, *, shift: int = 0) -> nodes.Expr | ExpressionProblem:
        """The text as one expression, checked and rewritten. `shift`: number of characters that were put in front of
        it."""
        if len(text) > MAX_TEXT:
            return ExpressionProblem(message=f"a template has at most {MAX_TEXT:,} characters")
        if "\r" in text:
            hint = "leave the carriage return out; a block text ('|') gives plain line breaks"
            return ExpressionProblem(message="a template contains a carriage return", hint=hint)
        try:
            return assembled(self._parts(text))
        except RewriteRefused as error:
            offset, line = _find(text, error)
            problem = ExpressionProblem(
                message=error.message,
                code=error.code,
                hint=self._hint(error.hint),
                offset=max(offset - shift, 0),
                line=line,
            )
        except TemplateSyntaxError as error:
            problem = _syntax_problem(text, error, shift)
        except (TemplateError, RecursionError, ValueError, OverflowError, MemoryError):
            return ExpressionProblem(message="the expression is too long or nested too deeply", hint="simplify it")
        return self._as_typed(text, assembled, shift) or problem

    def _hint(self, hint: str) -> str:
        """A hint that speaks of what is known here: a policy knows no row."""
        known = "op.buyer" if "op" in self._names else "plan.account"
        return hint if "row" in self._names else _OF_A_ROW.sub(known, hint)

    def _as_typed(self, text: str, assembled: _Assembled, shift: int) -> ExpressionProblem | None:
        """The same problem in terms of what was typed, where that is a known mistake."""
        found = mistakes_in(text, self._names) if len(text) <= _MOST_EXPLAINED else []
        if not found:
            return None
        first = found[0]
        instead = corrected(text, found)
        written = text[first.start : first.end]
        hint = f"write {first.instead} in place of {written}" if first.instead.strip() else f"leave {written} out"
        if first.instead == written:
            hint = first.message
        try:
            assembled(self._parts(instead))
            shown = instead[shift : len(instead) - shift].strip()
            hint = f"write {shown}" if len(shown) <= _MOST_SHOWN else hint
        except (RewriteRefused, TemplateError, RecursionError, ValueError, OverflowError, MemoryError):
            pass
        line = text.count("\n", 0, first.start) + 1
        offset = max(first.start - shift, 0)
        return ExpressionProblem(message=first.message, code="SE301", hint=hint, offset=offset, line=line, misread=True)

    def _parts(self, text: str) -> list[nodes.Expr]:
        """The texts and expressions of a template, in order, validated."""
        for _, token, _ in self._environment.lex(text):
            if token in ("block_begin", "raw_begin"):
                raise RewriteRefused(
                    "statements ({% ... %}) are not allowed", hint="only {{ expressions }} are", token="{%"
                )
            if token in ("comment_begin", "comment"):
                hint = "use a YAML comment outside the quotes"
                raise RewriteRefused("template comments ({# ... #}) are not allowed", hint=hint, token="{#")
        return [part for output in self._environment.parse(text).body for part in _checked_parts(output, self._names)]

    def _value(self, parts: list[nodes.Expr]) -> nodes.Expr:
        printed = [self._rewriting.value(part) for part in parts]
        if not printed:
            return nodes.Const("")
        return own_filter("_printed", printed[0] if len(printed) == 1 else own_filter("_joined", *printed))

    def _condition(self, parts: list[nodes.Expr]) -> nodes.Expr:
        if len(parts) != 1:
            raise RewriteRefused("a condition is written without braces", token="}}")
        return self._rewriting.truth(parts[0], "")


def _checked_parts(output: nodes.Node, names: Names) -> list[nodes.Expr]:
    if not isinstance(output, nodes.Output):
        raise RewriteRefused("only {{ expressions }} are allowed")
    parts: list[nodes.Expr] = []
    for part in output.nodes:
        if isinstance(part, nodes.TemplateData):
            parts.append(nodes.Const(part.data))
        else:
            check(part, names)
            parts.append(part)
    return parts


def evaluated(compiled: JinjaTemplate, scope: AbstractMapping[str, object]) -> Any:
    """The result of a template made by `Expressions`."""
    context = compiled.new_context(scope, shared=True)  # type: ignore[arg-type]
    for _ in compiled.root_render_func(context):
        pass
    return context.vars[_RESULT]


_COMPARED = re.compile(r"(?:==|!=|[<>]=?|[,\[~])[\s(]*\Z")
_AFTER_IN = re.compile(r"\bin[\s(]*\Z")


def _syntax_problem(text: str, error: TemplateSyntaxError, shift: int) -> ExpressionProblem:
    """Of a template that jinja does not parse; it knows the line only, so the braces there are taken as the place."""
    start = sum(len(part) for part in text.splitlines(keepends=True)[: error.lineno - 1])
    brace = max(text.find("{{", start), 0)
    message = f"template syntax: {error.message}"
    hint = "" if shift else "an expression looks like {{ row.postcode }}; write {{ '{{' }} for two braces"
    return ExpressionProblem(message=message, code="SE301", hint=hint, offset=max(brace - shift, 0), line=error.lineno)


def _find(text: str, error: RewriteRefused) -> tuple[int, int]:
    """Offset and line of the faulty token. Of equal literals, the one in the invalid position."""
    found = _occurrences(text, error.token)
    if error.code == "SE304" and len(found) > 1:
        found = [start for start in found if _is_misplaced(text[:start], error)] or found
    offset = found[0] if found else max(text.find("{{"), 0)
    return offset, text.count("\n", 0, offset) + 1


def _is_misplaced(before: str, error: RewriteRefused) -> bool:
    """Whether a literal behind this text is where the error says that none belongs."""
    if error.after_in:
        return _AFTER_IN.search(before) is not None
    return _COMPARED.search(before) is None


def _occurrences(text: str, token: str) -> list[int]:
    if not token:
        return []
    pattern = re.escape(token)
    if token[0] in ("'", '"'):
        pattern = f"[\"']{re.escape(token[1:-1])}[\"']"
    return [match.start() for match in re.finditer(rf"(?<!\w){pattern}", text)]


def _render_error(error: Exception, index: int) -> RenderError:
    hint = error.hint if isinstance(error, FilterError) else ""
    message = str(error) or type(error).__name__
    return RenderError(message, index=index, hint=hint)
