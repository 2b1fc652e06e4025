"""Everything that can go wrong on the way to the service and back, as one table: what is recorded, what is sent again.

docs/outcomes.md shows the same table; a test compares them.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Outcome = Literal["applied", "rejected", "in_doubt", "not_sent"]
Place = Literal["sandbox", "closed port", "full queue", "unknown name", "no TLS", "foreign certificate"]


class Cell(msgspec.Struct, frozen=True):
    """What becomes of one operation: its outcome on record, how many attempts are, and whether it must have happened.

    `exit` is that of the run that sent it.
    """

    outcome: Outcome
    attempts: int
    exit: int

    @property
    def words(self) -> str:
        """As the documentation has it."""
        times = {1: "sent once", 2: "sent twice"}.get(self.attempts, f"sent {self.attempts} times")
        return f"{self.outcome.replace('_', ' ')}, {times}, exit {self.exit}"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of trouble. It strikes the first request, or with `always` every one.

    `update`: an update alone. `trigger`: a trigger that travels with an update; `beside` is that update. `money`:
    a financials call, `decision` a release from quarantine; None where the trouble is not about such calls.
    """

    group: str
    name: str
    fault: dict[str, Any] = {}
    always: bool = False
    place: Place = "sandbox"
    limits: dict[str, Any] = {}
    large: bool = False
    update: Cell
    trigger: Cell
    beside: Cell
    money: Cell | None = None
    decision: Cell | None = None

    @property
    def rules(self) -> list[dict[str, Any]]:
        """For the sandbox."""
        match: dict[str, Any] = {} if self.always else {"nth": 1}
        return [{"name": self.name, "match": match, "fault": self.fault}] if self.fault else []


def _answer(status: int, *, effect: str = "none", **more: Any) -> dict[str, Any]:
    return {"effect": effect, "answer": {"status": status, "body": "error", "message": "No", **more}}


_TWICE = Cell("applied", 2, 0)
_ONCE = Cell("applied", 1, 0)
_BESIDE = Cell("applied", 2, 5)
_DOUBT = Cell("in_doubt", 1, 5)


def _lost(group: str, name: str, fault: dict[str, Any], **more: Any) -> Row:
    """Nobody can know: what is repeatable goes again, what is not is in doubt."""
    return Row(
        group=group,
        name=name,
        fault=fault,
        update=_TWICE,
        trigger=_DOUBT,
        beside=_BESIDE,
        money=_TWICE,
        decision=_DOUBT,
        **more,
    )


def _unsent(group: str, name: str, attempts: int = 2, **more: Any) -> Row:
    """No byte left: nothing of it was done, and all of it may be sent again later."""
    cell = Cell("not_sent", attempts, 4)
    return Row(group=group, name=name, update=cell, trigger=cell, beside=cell, money=cell, decision=cell, **more)


def _fine(group: str, name: str, fault: dict[str, Any], *, money: Cell | None = _ONCE) -> Row:
    return Row(
        group=group,
        name=name,
        fault=fault,
        update=_ONCE,
        trigger=_ONCE,
        beside=_ONCE,
        money=money,
        decision=_ONCE,
    )


def _refused(group: str, name: str, fault: dict[str, Any], *, money: bool = True) -> Row:
    cell = Cell("rejected", 1, 4)
    return Row(
        group=group,
        name=name,
        fault=fault,
        update=cell,
        trigger=cell,
        beside=cell,
        money=cell if money else None,
        decision=cell,
    )


_CONNECTION = "Connection"
_TIMEOUT = "Time"
_STATUS = "HTTP status"
_BODY = "Body of a 2xx answer"
_ELEMENTS = "Elements of a 2xx answer"

_STRANGE = '{"status":"Success","message":"OK","details":{"14":"Seen"},"leads":[{"id":"11","success":"seen"}]}'

_FEW = {"attempts": 2}
_SHORT = {"timeout": 0.3}

MATRIX: tuple[Row, ...] = (
    _unsent(_CONNECTION, "refused", place="closed port", limits=_FEW),
    _unsent(_CONNECTION, "the host's name is unknown", place="unknown name", limits=_FEW),
    _unsent(_CONNECTION, "TLS handshake fails", place="no TLS", limits=_FEW),
    _unsent(_CONNECTION, "certificate is not trusted", place="foreign certificate", limits=_FEW),
    _lost(_CONNECTION, "reset before the request is read", {"read": "reset"}),
    _lost(_CONNECTION, "reset after half of the request", {"read": "reset_half"}),
    _lost(_CONNECTION, "reset after the request, nothing done", {"effect": "none", "answer": "reset"}),
    _lost(_CONNECTION, "reset after the request, all done", {"effect": "all", "answer": "reset"}),
    _lost(_CONNECTION, "closed without an answer", {"effect": "all", "answer": "close"}),
    _lost(_CONNECTION, "reset after half of the answer", {"effect": "all", "answer": "reset_half"}),
    _lost(_CONNECTION, "closed after half of the answer", {"effect": "all", "answer": "close_half"}),
    Row(
        group=_CONNECTION,
        name="reset, every time",
        fault={"effect": "none", "answer": "reset"},
        always=True,
        limits=_FEW,
        update=Cell("in_doubt", 2, 5),
        trigger=_DOUBT,
        beside=Cell("in_doubt", 2, 5),
        money=Cell("in_doubt", 2, 5),
        decision=_DOUBT,
    ),
    _unsent(_TIMEOUT, "connecting takes too long", place="full queue", limits={**_FEW, **_SHORT}),
    _lost(
        _TIMEOUT,
        "writing takes too long",
        {"read": "slow", "bytes_per_second": 200_000},
        limits=_SHORT,
        large=True,
    ),
    _lost(_TIMEOUT, "no answer", {"effect": "all", "answer": "never"}, limits=_SHORT),
    _lost(_TIMEOUT, "done after we gave up", {"delay_before": 1}, limits=_SHORT),
    _lost(_TIMEOUT, "done later still", {"effect": {"late": 1}, "answer": "reset"}),
    _lost(
        _TIMEOUT,
        "the answer drips and never ends",
        {"effect": "all", "answer": {"body": "drip"}},
        limits=_SHORT,
    ),
    _refused(_STATUS, "400", _answer(400)),
    Row(
        group=_STATUS,
        name="401 (the run stops)",
        fault=_answer(401),
        update=Cell("not_sent", 1, 4),
        trigger=Cell("not_sent", 1, 4),
        beside=Cell("not_sent", 1, 4),
        money=Cell("not_sent", 1, 4),
        decision=Cell("not_sent", 1, 4),
    ),
    Row(
        group=_STATUS,
        name="403 (the run stops)",
        fault=_answer(403),
        update=Cell("not_sent", 1, 4),
        trigger=Cell("not_sent", 1, 4),
        beside=Cell("not_sent", 1, 4),
        money=Cell("not_sent", 1, 4),
        decision=Cell("not_sent", 1, 4),
    ),
    _refused(_STATUS, "404", _answer(404)),
    _refused(_STATUS, "405", _answer(405)),
    _lost(_STATUS, "408", _answer(408)),
    _lost(_STATUS, "409", _answer(409)),
    _refused(_STATUS, "411", _answer(411)),
    _refused(_STATUS, "413", _answer(413)),
    _refused(_STATUS, "415", _answer(415)),
    _refused(_STATUS, "422", _answer(422)),
    Row(
        group=_STATUS,
        name="429, Retry-After in seconds",
        fault=_answer(429, retry_after=1),
        update=_TWICE,
        trigger=_TWICE,
        beside=_TWICE,
        money=_TWICE,
        decision=_TWICE,
    ),
    Row(
        group=_STATUS,
        name="429, Retry-After as a date",
        fault=_answer(429, retry_after_date=1),
        update=_TWICE,
        trigger=_TWICE,
        beside=_TWICE,
        money=_TWICE,
        decision=_TWICE,
    ),
    _unsent(_STATUS, "429, every time", fault=_answer(429), always=True, limits=_FEW),
    _unsent(
        _STATUS, "429, Retry-After over max_wait (the run stops)", 1, fault=_answer(429, retry_after=300), always=True
    ),
    _lost(_STATUS, "500, nothing done", _answer(500)),
    _lost(_STATUS, "500, all done", _answer(500, effect="all", body="html")),
    _lost(_STATUS, "502", _answer(502, body="html")),
    _lost(_STATUS, "503", _answer(503, retry_after=1)),
    _lost(_STATUS, "504", _answer(504, body="empty")),
    Row(
        group=_STATUS,
        name="a redirect (never followed, the run stops)",
        fault={"effect": "all", "answer": {"status": 307, "body": "empty", "location": "http://127.0.0.1:9/elsewhere"}},
        update=_DOUBT,
        trigger=_DOUBT,
        beside=_DOUBT,
        money=_DOUBT,
        decision=_DOUBT,
    ),
    _lost(_BODY, "HTML", {"effect": "all", "answer": {"body": "html"}}),
    _lost(_BODY, "cut", {"effect": "all", "answer": {"body": "cut"}}),
    _lost(_BODY, "empty", {"effect": "all", "answer": {"body": "empty"}}),
    _lost(_BODY, "no text", {"effect": "all", "answer": {"body": "garbage"}}),
    _lost(_BODY, "100 MB", {"effect": "all", "answer": {"body": "huge", "megabytes": 100}}),
    _lost(_BODY, "never ends", {"effect": "all", "answer": {"body": "flood"}}),
    _fine(_BODY, "compressed unasked", {"effect": "all", "answer": {"gzip": True}}),
    _fine(_BODY, "chunked", {"effect": "all", "answer": {"chunked": True}}),
    _refused(_ELEMENTS, "the lead failed", {"reject": {"message": "Postcode is not valid"}}),
    _refused(
        _ELEMENTS,
        "the lead failed, errors as objects",
        {"reject": {"message": "Postcode is not valid"}, "elements": ["errors_as_objects"]},
        money=False,
    ),
    _refused(_ELEMENTS, "`Error` and no elements", {"effect": "none", "elements": ["envelope_error"]}),
    _lost(_ELEMENTS, "the lead is missing", {"elements": ["missing_all"]}),
    Row(
        group=_ELEMENTS,
        name="success, and a word on the lead that is not known",
        fault={"effect": "none", "answer": {"body": "text", "text": _STRANGE}},
        update=_TWICE,
        trigger=_DOUBT,
        beside=_BESIDE,
        decision=_DOUBT,
    ),
    _lost(_ELEMENTS, "success with errors", {"elements": ["contradictory"]}),
    _lost(_ELEMENTS, "the lead twice, with success and without", {"elements": ["duplicate_differing"]}),
    _fine(_ELEMENTS, "the lead twice, alike", {"elements": ["duplicate"]}),
    _fine(_ELEMENTS, "a lead that nobody asked for", {"elements": ["extra"]}),
    _fine(_ELEMENTS, "ids as numbers", {"elements": ["ids_as_numbers"]}),
    _fine(_ELEMENTS, "no `warnings` and `errors`", {"elements": ["no_warnings"]}),
    _fine(_ELEMENTS, "status `Warning`", {"elements": ["status_warning"]}, money=None),
    _fine(_ELEMENTS, "status in lower case", {"elements": ["status_lower_case"]}),
)


_ENVELOPE = {"status_warning", "status_lower_case", "envelope_error"}
_DETAILS = {"missing_all", "extra", "contradictory"}


def _where_it_applies(row: Row) -> Row:
    # Amounts and decisions are never large; the answer to a financials call has no elements to distort, and that to a
    # decision says one thing of one lead.
    elements = set(row.fault.get("elements", ()))
    if row.large or elements - _ENVELOPE:
        row = msgspec.structs.replace(row, money=None)
    if row.large or elements - _ENVELOPE - _DETAILS:
        row = msgspec.structs.replace(row, decision=None)
    return row


MATRIX = tuple(_where_it_applies(row) for row in MATRIX)


def table() -> str:
    """The whole matrix in Markdown."""
    lines: list[str] = []
    group = ""
    for row in MATRIX:
        if row.group != group:
            group = row.group
            lines += [
                "",
                f"**{group}**",
                "",
                "| trouble | an update | a trigger | the update beside it | financials | a release |",
            ]
            lines.append("| --- | --- | --- | --- | --- | --- |")
        cells = [row.update, row.trigger, row.beside, row.money, row.decision]
        lines.append(f"| {row.name} | " + " | ".join("-" if cell is None else cell.words for cell in cells) + " |")
    return "\n".join(lines).strip()
