"""A plan as one HTML file that needs nothing else: no network, no server, no second file.

The template, stylesheet and script stand beside this module. Rows travel as JSON in a data block; the script builds the
table from text nodes alone, and the policy in the head allows this one script and this one stylesheet, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache

import jinja2
import msgspec
from markupsafe import Markup

from syncengine.core.log_commands import broken
from syncengine.core.operations import IRREVERSIBLE, Kind, is_irreversible
from syncengine.core.plan import PlanHeader, PlannedOperation, PlanSummary, Provenance, State
from syncengine.core.redaction import Masker, visible
from syncengine.reports.charts import WIDTH, legend, money_bars, operation_bars
from syncengine.reports.model import Fold, PlanView, ViewOptions
from syncengine.reports.phrases import amount_words, change_words, field_words, leads_words
from syncengine.reports.rows import Row, row_of
from syncengine.reports.vocabulary import kind_word, money, number, plural, short, signed, state_word, strikes_words

LISTED = 200
"""How many findings, warnings or lines a static list of the page holds before it says how many more there are."""

_KINDS = tuple(Kind)
_STATES = tuple(State)
_ENCODER = msgspec.json.Encoder()
_FOR_SCRIPT = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def plan_html(
    header: PlanHeader,
    provenance: Provenance,
    operations: Iterable[PlannedOperation],
    summary: PlanSummary,
    options: ViewOptions,
) -> Iterator[str]:
    """The page in pieces. Operations are read once, while the pieces are taken; at most `options.rows` of each risk
    (repeatable, irreversible) are listed, and the page says what it leaves out."""
    page = _templates()
    yield page.get_template("plan_head.html.j2").render(title=_title(header, summary), **_assets())
    folding = Fold(options, keep=0)
    table = _HtmlTable(options.rows, folding.masker)
    yield '<script type="application/json" id="rows">['
    for planned in operations:
        folding.add(planned)
        text = table.add(planned)
        if text:
            yield text
    yield "]</script>\n"
    yield f'<script type="application/json" id="names">{_json(table.names())}</script>\n'
    view = folding.view(header, provenance, summary)
    yield page.get_template("plan_body.html.j2").render(_context(view, options, table.listed), **_assets())


class _HtmlTable:
    """Encodes rows as compact JSON arrays; texts that recur are numbered."""

    def __init__(self, limit: int, masker: Masker) -> None:
        self._left = {False: limit, True: limit}
        self._masker = masker
        self._texts: dict[str, int] = {"": 0}
        self._changes: dict[tuple[str, str], int] = {}
        self.listed = 0

    def add(self, planned: PlannedOperation) -> str:
        """The row as JSON, with its comma; empty where the page holds enough rows of this risk."""
        irreversible = is_irreversible(planned.operation)
        if self._left[irreversible] <= 0:
            return ""
        self._left[irreversible] -= 1
        comma = ",\n" if self.listed else "\n"
        self.listed += 1
        return comma + _json(self._row(row_of(planned, self._masker)))

    def _row(self, row: Row) -> list[object]:
        change = self._changes.setdefault((row.changeset, row.change), len(self._changes))
        cells: list[object] = [
            short(row.id, 16),
            change,
            _KINDS.index(row.kind),
            row.lead,
            _STATES.index(row.state),
            row.source,
            self._text(row.what),
            self._text(row.reason),
            self._text(", ".join(row.done)),
        ]
        for diff in row.diffs:
            cells += [self._text(diff.name), diff.before, diff.after, self._text(diff.origin), int(diff.sent)]
        return cells

    def _text(self, text: str) -> int:
        return self._texts.setdefault(text, len(self._texts))

    def names(self) -> dict[str, object]:
        """What the numbers of the rows stand for."""
        return {
            "kinds": [kind.value for kind in _KINDS],
            "irreversible": [kind in IRREVERSIBLE for kind in _KINDS],
            "states": [state_word(state) for state in _STATES],
            "stateKeys": [state.value for state in _STATES],
            "changes": [list(key) for key in self._changes],
            "texts": list(self._texts),
        }


def _json(value: object) -> str:
    # No "<" survives, so nothing in the data can end the script element; JSON reads the escapes back. What a CI runner
    # would obey is broken here, in JSON's way: the page is broken in HTML's where it is printed.
    return broken(_ENCODER.encode(value).decode().translate(_FOR_SCRIPT), "json")


def _title(header: PlanHeader, summary: PlanSummary) -> str:
    return f"Plan {short(summary.digest)} for {visible(header.account)}"


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("syncengine.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, money=money, signed=signed, visible=visible, short=short)
    environment.globals.update(
        plural=plural,
        kind_word=kind_word,
        state_word=state_word,
        strikes_words=strikes_words,
        amount_words=amount_words,
        field_words=field_words,
        leads_words=leads_words,
        change_words=change_words,
        States=State,
        listed=LISTED,
        chart_width=WIDTH,
    )
    return environment


@cache
def _assets() -> dict[str, Markup]:
    """Stylesheet and script as they stand in the page, and the policy that allows them alone."""
    style, script = _asset("plan.css"), _asset("plan.js")
    policy = (
        f"default-src 'none'; script-src 'sha256-{_hash(script)}'; style-src 'sha256-{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    # Both are files of this package and hold no data, so they may stand as they are.
    return {"style": Markup(style), "script": Markup(script), "policy": Markup(policy)}


def _asset(name: str) -> str:
    environment = _templates()
    assert environment.loader is not None
    source, _, _ = environment.loader.get_source(environment, name)
    return source.replace("\r\n", "\n")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _context(view: PlanView, options: ViewOptions, rows: int) -> dict[str, object]:
    return {
        "view": view,
        "counts": view.counts,
        "title": _title(view.header, view.summary),
        "operation_bars": operation_bars(view.groups),
        "legend": legend(view.counts),
        "money_bars": money_bars(view.groups),
        "rows": rows,
        "masked": not options.show_values,
    }
