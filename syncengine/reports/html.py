"""A plan as one HTML file that needs nothing else: no network, no server, no second file.

The template, stylesheet and scripts are beside this module. What a reviewer must see first is in the page itself and
needs no script. Rows travel as JSON in a data block; the script builds the table from text nodes alone, only as much of
it as is seen, and the policy in the head allows this one script and this one stylesheet, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache

import jinja2
from markupsafe import Markup

from syncengine.core.plan import PlanHeader, PlannedOperation, PlanSummary, Provenance, State
from syncengine.core.redaction import visible
from syncengine.reports.charts import WIDTH, MoneyCharts
from syncengine.reports.html_table import HtmlTable, json_text
from syncengine.reports.html_view import page_context
from syncengine.reports.model import Fold, ViewOptions
from syncengine.reports.phrases import amount_words, field_words
from syncengine.reports.places import Places
from syncengine.reports.vocabulary import money, number, plural, short, signed, state_word, strikes_words

LISTED = 200
"""How many findings, rules or lines a static list of the page holds before it says how many more there are."""

FIRST_FINDINGS, FIRST_RULES, FIRST_STRIKES = 12, 6, 4
"""How many are shown before the reader asks for more: what the first screen has room for. Rules that block count as
findings."""

_SCRIPTS = ("plan_rows.js", "plan_filters.js", "plan_table.js", "plan.js")


def plan_html(
    header: PlanHeader,
    provenance: Provenance,
    operations: Iterable[PlannedOperation],
    summary: PlanSummary,
    options: ViewOptions,
) -> Iterator[str]:
    """The page in pieces. Operations are read once, while the pieces are taken; at most `options.rows` of each risk
    (repeatable, irreversible) are listed, and the page says what it leaves out."""
    page = templates()
    yield page.get_template("plan_head.html.j2").render(title=_title(header, summary), **assets())
    folding = Fold(options, keep=0)
    charts = MoneyCharts()
    places = Places(summary, provenance.made_from, options.forge)
    table = HtmlTable(options.rows, folding.masker, summary.findings[:LISTED], places, options.names)
    yield '<script type="application/json" id="rows">['
    for planned in operations:
        folding.add(planned)
        charts.add(planned)
        text = table.add(planned) if options.shows(planned) else ""
        if text:
            yield text
    yield "]</script>\n"
    yield f'<script type="application/json" id="names">{json_text(table.names())}</script>\n'
    yield f'<script type="application/json" id="found">{json_text(table.findings())}</script>\n'
    view = folding.view(header, provenance, summary)
    context = page_context(view, charts)
    context.update(rows=table.listed, masked=not options.show_values)
    yield page.get_template("plan_body.html.j2").render(context, **assets())


def _title(header: PlanHeader, summary: PlanSummary) -> str:
    return f"Plan {short(summary.digest)} for {visible(header.account)}"


@cache
def templates() -> jinja2.Environment:
    """The pages' templates; what they are given is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("syncengine.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, money=money, signed=signed, visible=visible)
    environment.globals.update(
        plural=plural,
        state_word=state_word,
        strikes_words=strikes_words,
        amount_words=amount_words,
        field_words=field_words,
        States=State,
        listed=LISTED,
        first_findings=FIRST_FINDINGS,
        rules_first=FIRST_RULES,
        strikes_first=FIRST_STRIKES,
        chart_width=WIDTH,
    )
    return environment


@cache
def assets() -> dict[str, Markup]:
    """Stylesheet and script as the page contains them, and the policy that allows them alone."""
    style = _asset("plan.css")
    script = '\n"use strict";\n(() => {\n' + "".join(map(_asset, _SCRIPTS)) + "})();\n"
    policy = (
        f"default-src 'none'; script-src 'sha256-{_hash(script)}'; style-src 'sha256-{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    # They are files of this package and hold no data, so they need no escaping.
    return {"style": Markup(style), "script": Markup(script), "policy": Markup(policy)}


def _asset(name: str) -> str:
    environment = templates()
    assert environment.loader is not None
    source, _, _ = environment.loader.get_source(environment, name)
    return source.replace("\r\n", "\n")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
