"""Expands one declared change over its rows or leads into items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from syncengine.changeset.build_items import Maker, TextSlot, slots_of
from syncengine.changeset.checks import OF_DATA, Checks, Unfit, Value, lead_check
from syncengine.changeset.declared import Declared, DeclaredChange, Place
from syncengine.changeset.inline_source import InlineSource, UnusableSource
from syncengine.changeset.sql_source import SqlSource
from syncengine.changeset.templates import (
    Reference,
    Rendering,
    Scope,
    When,
    check_references,
    compile_condition,
    compile_texts,
    is_template,
    names_in_scope,
    references,
    references_in_template,
)
from syncengine.core.changes import ChangeFacts, Item, Origin
from syncengine.core.errors import Problem
from syncengine.core.values import LeadId, number_of
from syncengine.documents.did_you_mean import did_you_mean
from syncengine.documents.lead_schema import LeadSchema
from syncengine.documents.nodes import Scalar
from syncengine.documents.rendering import RenderError
from syncengine.tables.sources import Row, Source, SourceError


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """Context shared by the changes of one changeset. `checks` are by `skip_empty`.

    Several changes may read one source. `read` names those whose rows were reported on, `told` holds the problems of
    whole files, so that each is reported once.
    """

    declared: Declared
    checks: Mapping[bool, Checks]
    schema: LeadSchema | None
    place: Place
    read: set[str]
    told: set[Problem]


class _RowReports:
    """Takes the problems of a source while its rows are read; those of rows only the first time."""

    def __init__(self, place: Place, tell: Callable[[Problem], None], *, again: bool) -> None:
        self._place = place
        self._tell = tell
        self._again = again
        self.errors = False

    def __call__(self, problem: Problem) -> None:
        self.errors = self.errors or problem.severity == "error"
        if problem.row is None:
            self._tell(problem)
        elif not self._again:
            self._place.report(problem)


class Expansion:
    """The compiled form of one change, kept while its rows are read."""

    def __init__(self, change: DeclaredChange, around: Around) -> None:
        self._change = change
        self._around = around
        self._declared = around.declared
        self._place = around.place
        self._slots = slots_of(change, around.checks[change.skip_empty])
        self._checked_lead = lead_check(quarantined=change.quarantined)
        self._maker = Maker(around.declared.id, change)
        self._source: Source | None = None if change.source is None else self._declared.sources[change.source.text]
        self._when_of_row: When | None = None
        self._when_of_lead: When | None = None
        self._lead: Rendering
        self._texts: Rendering
        self._parsed: list[Value] = []
        self._row: int | None = None
        self._line = 0
        """Position of the row in its file."""
        self._rows = 0
        self._left_out = 0
        self._met = False
        """Whether `when` was ever true, or failed to evaluate, which is reported."""

    def prepare(self) -> bool:
        """Compile, and check everything that does not depend on rows. False where the change cannot be expanded, which
        is reported."""
        misread: list[Scalar] = []
        by_row = self._source is not None
        with_lead = names_in_scope(row=by_row, lead=True)
        lead = compile_texts(self._place, self._change.leads, names_in_scope(row=by_row, lead=False), misread)
        texts = compile_texts(self._place, [slot.scalar for slot in self._slots], with_lead, misread)
        condition = self._compile_when(with_lead, misread)
        self._warn_of_many_triggers()
        exist, fit = self._references_exist(misread), self._constants_fit()
        if lead is None or texts is None or not condition:
            return False
        self._lead, self._texts = lead, texts
        return exist and fit and bool(self._change.leads) and not isinstance(self._source, UnusableSource)

    def _compile_when(self, names: frozenset[str], misread: list[Scalar]) -> bool:
        """A condition that does not ask for the lead is judged first, so that rows that it excludes need no lead."""
        text = self._change.when
        if text is None:
            return True
        when = compile_condition(self._place, text, names, misread)
        if self._source is None or any(found.name == "lead" for found in references(text.text)):
            self._when_of_lead = when
        else:
            self._when_of_row = when
        return when is not None

    def _warn_of_many_triggers(self) -> None:
        account, triggers = self._declared.account, self._change.trigger
        most = account.limits.irreversible_per_request
        if len(triggers) > most and account.wire.deliveries == "together":
            message = f"{len(triggers)} deliveries in one entry exceed irreversible_per_request ({most})"
            hint = "the entry travels alone in its request; a lost answer leaves all of them in doubt"
            self._place.problem("SE245", message, triggers[most], hint=hint, severity="warning")

    def facts(self) -> ChangeFacts | None:
        """Counts of its rows by result, once `items` was read to the end; None where all is typed and all was taken."""
        source, change = self._source, self._change
        if source is None and change.when is None:
            return None
        from_file = source is not None and not isinstance(source, InlineSource | SqlSource | UnusableSource)
        return ChangeFacts(
            changeset=self._declared.id,
            change=change.label,
            source="" if change.source is None else change.source.text,
            file=source.label if source is not None and from_file else "",
            typed=tuple(dict.fromkeys(self._typed())) if source is not None else (),
            rows=self._rows,
            taken=self._rows - self._left_out,
            when=change.when is not None,
        )

    def _typed(self) -> Iterator[str]:
        """Names of the values that no column of the source provides."""
        for slot in self._slots:
            if slot.name and not any(found.name == "row" for found in references_in_template(slot.scalar.text)):
                yield slot.name

    def items(self) -> Iterator[Item]:
        """The items, in row or list order. A faulty row is reported and left out."""
        return self._of_leads() if self._source is None else self._of_rows(self._source)

    def _references_exist(self, misread: list[Scalar]) -> bool:
        try:
            columns = None if self._source is None else self._source.columns()
        except SourceError as error:
            self._tell(error.problem)
            return False
        known = [
            check_references(self._place, scalar, found, variables=self._declared.vars, columns=columns)
            for scalar, found in self._references()
            if not any(scalar is other for other in misread)
        ]
        return all(known)

    def _references(self) -> Iterator[tuple[Scalar, Iterable[Reference]]]:
        """Every text of the change that can name variables and columns, with what it names."""
        for scalar in (*self._change.leads, *(slot.scalar for slot in self._slots)):
            if "{{" in scalar.text:
                yield scalar, references_in_template(scalar.text)
        if self._change.when is not None:
            yield self._change.when, references(self._change.when.text)

    def _constants_fit(self) -> bool:
        fine = True
        for slot in self._slots:
            value: Value = ""
            if not is_template(slot.scalar.text):
                try:
                    value = slot.check(slot.scalar.text)
                except Unfit as unfit:
                    self._unfit(slot.what, slot.scalar, unfit)
                    fine = False
            self._parsed.append(value)
        return fine

    def _of_rows(self, source: Source) -> Iterator[Item]:
        variables, changeset = self._declared.vars, str(self._declared.id)
        file, line = self._declared.file, self._change.line
        report = _RowReports(self._place, self._tell, again=self._is_read_again())
        try:
            for number, self._line, row in source.rows(report):
                self._row = number
                self._rows += 1
                scope: Scope = {"vars": variables, "changeset": changeset, "row": row}
                item = self._item(scope, row, None, file, line)
                if item is not None:
                    yield item
        except SourceError as error:
            self._tell(error.problem)
            return
        if report.errors:
            return
        if self._row is None and self._change.source is not None:
            message = f"{source.label} has no rows: the change does nothing"
            self._place.problem("SE321", message, self._change.source, severity="warning")
        else:
            self._warn_of_no_match(f"none of the {self._row} rows of {source.label}")

    def _is_read_again(self) -> bool:
        """Whether an earlier change read the same source, and reported its rows."""
        name = "" if self._change.source is None else self._change.source.text
        again = name in self._around.read
        self._around.read.add(name)
        return again

    def _tell(self, problem: Problem) -> None:
        """Report, once, what concerns a source as a whole."""
        if problem not in self._around.told:
            self._around.told.add(problem)
            self._place.report(problem)

    def _warn_of_no_match(self, none: str) -> None:
        when = self._change.when
        if when is not None and not self._met:
            self._place.problem(
                "SE321", f"{none} meets 'when': change {self._change.label} does nothing", when, severity="warning"
            )

    def _of_leads(self) -> Iterator[Item]:
        file = self._declared.file
        texts = self._lead_texts()
        several = len(texts) > 1
        for scalar, text in texts:
            try:
                lead = self._checked_lead(text)
            except Unfit as unfit:
                self._unfit("the lead", scalar, unfit)
                continue
            self._rows += 1
            scope: Scope = {"vars": self._declared.vars, "changeset": str(self._declared.id)}
            item = self._item(scope, {}, lead, file, scalar.line if several else self._change.line)
            if item is not None:
                yield item
        if texts:
            self._warn_of_no_match(f"none of its leads ({len(texts)})")

    def _lead_texts(self) -> list[tuple[Scalar, str]]:
        """The leads of a change without source, rendered."""
        leads = self._change.leads
        texts = [scalar.text for scalar in leads]
        if self._lead.computed:
            try:
                rendered = self._lead.render({"vars": self._declared.vars, "changeset": str(self._declared.id)})
            except RenderError as error:
                self._failed("the lead", leads[self._lead.computed[error.index]], error)
                return []
            for index, text in zip(self._lead.computed, rendered, strict=True):
                texts[index] = text
        return list(zip(leads, texts, strict=True))

    def _item(self, scope: Scope, row: Row, lead: LeadId | None, file: str, line: int) -> Item | None:
        """The item for one row or lead; None where `when` excludes it, or a problem was reported."""
        # A condition without the lead is judged first: rows that it leaves out may lack an id.
        if self._when_of_row is not None and not self._holds(self._when_of_row, scope, row):
            return None
        if lead is None:
            lead = self._row_lead(scope, row)
            if lead is None:
                return None
        scope["lead"] = number_of(lead) if self._change.quarantined else lead
        if self._when_of_lead is not None and not self._holds(self._when_of_lead, scope, row):
            return None
        values = self._values(scope, row)
        if values is None:
            return None
        fields = self._maker.fields(values)
        schema = self._around.schema
        if fields and schema is not None and not schema.accepts(fields):
            self._refused(schema, fields)
            return None
        return self._maker.item(lead, values, fields, Origin(file, line, self._row, self._line or None))

    def _holds(self, when: When, scope: Scope, row: Row) -> bool:
        try:
            holds = when.holds(scope, row)
            self._met = self._met or holds
            self._left_out += not holds
            return holds
        except RenderError as error:
            self._met = True
            self._failed("when", self._change.when or self._change.leads[0], error)
            return False

    def _row_lead(self, scope: Scope, row: Row) -> LeadId | None:
        scalar = self._change.leads[0]
        try:
            if self._lead.lookups:
                return self._checked_lead(row[self._lead.lookups[0][1]])
            return self._checked_lead(self._lead.render(scope)[0])
        except Unfit as unfit:
            self._unfit("the lead", scalar, unfit)
        except KeyError as error:
            self._missing("the lead", scalar, str(error.args[0]), row)
        except RenderError as error:
            self._failed("the lead", scalar, error)
        return None

    def _values(self, scope: Scope, row: Row) -> list[Value] | None:
        """The checked values of the slots; None where one is invalid, after reporting every problem of this row."""
        values = self._parsed.copy()
        slots, texts = self._slots, self._texts
        try:
            for index, column in texts.lookups:
                values[index] = slots[index].check(row[column])
            if texts.computed:
                for index, text in zip(texts.computed, texts.render(scope), strict=True):
                    values[index] = slots[index].check(text)
        except (Unfit, KeyError, RenderError):
            self._explain(scope, row)
            return None
        return values

    def _explain(self, scope: Scope, row: Row) -> None:
        """Report every invalid value of a row."""
        texts = self._texts
        for index, column in texts.lookups:
            slot = self._slots[index]
            if column in row:
                self._checked(slot, row[column])
            else:
                self._missing(slot.what, slot.scalar, column, row)
        if not texts.computed:
            return
        for index, text in zip(texts.computed, texts.render_each(scope), strict=True):
            slot = self._slots[index]
            if isinstance(text, RenderError):
                self._failed(slot.what, slot.scalar, text)
            else:
                self._checked(slot, text)

    def _checked(self, slot: TextSlot, text: str) -> None:
        try:
            slot.check(text)
        except Unfit as unfit:
            self._unfit(slot.what, slot.scalar, unfit)

    def _refused(self, schema: LeadSchema, fields: dict[str, str]) -> None:
        places = dict(self._change.update)
        for name, sentence in schema.findings(fields):
            message = f"the account's lead schema refuses the update: {sentence}"
            self._report("SE330", message, places.get(name, self._change), "")

    def _unfit(self, what: str, scalar: Scalar, unfit: Unfit) -> None:
        code = OF_DATA.get(unfit.code, unfit.code) if is_template(scalar.text) else unfit.code
        self._report(code, f"{what}: {unfit.message}", scalar, unfit.hint)

    def _failed(self, what: str, scalar: Scalar, error: RenderError) -> None:
        self._report("SE304", f"{what}: {error.message}", scalar, error.hint)

    def _missing(self, what: str, scalar: Scalar, column: str, row: Row) -> None:
        hint = f"{did_you_mean(column, row)}; where it may be missing: {{{{ row.{column} | default('...') }}}}"
        self._report("SE316", f"{what}: there is no {column!r} in this row", scalar, hint.removeprefix("; "))

    def _report(self, code: str, message: str, node: Scalar | DeclaredChange, hint: str) -> None:
        where = ""
        if self._row is not None and self._source is not None:
            place = self._source.place(self._line)
            where = f"row {self._row} of {self._source.label}{place and f' ({place})'}: "
        self._place.problem(code, where + message, node, hint=hint, row=self._row)
