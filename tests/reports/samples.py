"""Plans of any size, made the way planning makes them, for the views to show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from syncengine.core.changes import NameUse, Origin
from syncengine.core.finding import Evidence, Finding, Severity
from syncengine.core.identity import operation_id
from syncengine.core.operations import Financials, Kind, Operation, Reprocess, Trigger, Update, counter_of, kind_of
from syncengine.core.plan import (
    Before,
    Blocker,
    ChangesetHeader,
    Counts,
    PlanHeader,
    PlannedOperation,
    PlanSummary,
    Provenance,
    State,
)
from syncengine.core.values import BuyerId, Cents, ChangesetId, DeliveryId, LeadId, PlanDigest
from tests import attacks

DIGEST = PlanDigest("3f2a9c41" * 8)

HEADER = PlanHeader(
    format=1,
    account="acme",
    identity="acme",
    host="acme.leadbyte.co.uk",
    policy_digest="a" * 64,
    wire_digest="b" * 64,
)

PROVENANCE = Provenance(
    created="2026-11-23T14:02:11.000000Z", tool="0.1.0", ledger_id="01hz6m3v9qk4", ledger_position=1834
)

NO_LEDGER = Provenance(
    created="2026-11-23T14:02:11.000000Z",
    tool="0.1.0",
    ledger_id=None,
    ledger_position=0,
    ledger_note="no ledger at .syncengine/ledger.db: everything counts as never applied; apply refuses where it was",
)

POSTCODES = ("TN25 6QD", "SW1A 1AA", "EH12 9DN", "M1 1AE", "B33 8TH", "CR2 6XH", "DN55 1PT", "W1A 0AX")
FIRST = ("Joe", "Amélie", "Siobhán", "Li", "Muhammad", "Oluwaseun", "Zoë", "Ann")


def planned(
    operation: Operation,
    *,
    changeset: str = "postcode-repair-2026-11",
    change: str = "#1",
    line: int = 12,
    row: int | None = None,
    entry: int = 1,
    state: State = State.TO_SEND,
    reason: str = "",
    before: dict[str, Before] | None = None,
    done: tuple[str, ...] = (),
    names: tuple[NameUse, ...] = (),
    file: str = "specs/repair.yaml",
) -> PlannedOperation:
    """One line of a plan."""
    sets = list(operation.fields) if isinstance(operation, Update) else []
    if isinstance(operation, Financials):
        sets = [name for name in ("payout", "revenue", "buyer") if getattr(operation, name) is not None]
    return PlannedOperation(
        id=operation_id("acme", ChangesetId(changeset), operation),
        changeset=ChangesetId(changeset),
        change=change,
        entry=entry,
        operation=operation,
        origin=Origin(file, line, row),
        state=state,
        reason=reason,
        send=tuple(sets) if state is State.TO_SEND else (),
        before=before or {},
        done=done,
        names=names,
    )


def lead(number: int) -> LeadId:
    """The id of the n-th lead."""
    return LeadId(str(2932682 + number))


def operations(leads: int) -> Iterator[PlannedOperation]:
    """Per lead one operation, of every kind and state in turn; seven in ten are updates."""
    for n in range(leads):
        match n % 10:
            case 7:
                yield _money(n)
            case 8:
                yield _trigger(n)
            case 9:
                yield _odd(n)
            case _:
                yield _update(n)


def _update(n: int) -> PlannedOperation:
    postcode = f"{POSTCODES[n % 8]}"
    fields = {"postcode": postcode, "firstname": f"{FIRST[n % 8]}{n}"} if n % 3 else {"c1": "GoogleAdWords"}
    before = {
        "postcode": Before("ledger", f"X{n % 97} 1ZZ", "import-2026-10"),
        "firstname": Before("observed", f"{FIRST[n % 8]}", "2026-11-20T08:00:00Z"),
        "c1": Before("unknown", None, "", "not in the export"),
    }
    return planned(
        Update(lead(n), fields),
        change="captured-by-short-form" if n % 3 else "campaign-tag",
        line=12 if n % 3 else 20,
        row=n + 1,
        entry=n + 1,
        before={name: before[name] for name in fields},
    )


def _money(n: int) -> PlannedOperation:
    known = n % 20 == 7
    return planned(
        Financials(lead(n), Cents(8000), Cents(12000 + n % 50 * 100), BuyerId("33")),
        changeset="call-centre-uplift",
        change="switched",
        file="specs/uplift.yaml",
        line=9,
        row=n + 1,
        entry=n + 1,
        before={
            "payout": Before("ledger", "70.00", "launch") if known else Before("unknown", note="never applied"),
            "revenue": Before("ledger", "110.00", "launch") if known else Before("unknown", note="never applied"),
            "buyer": Before("unknown"),
        },
    )


def _trigger(n: int) -> PlannedOperation:
    return planned(
        Trigger(lead(n), DeliveryId("1053" if n % 100 != 8 else "1054")),
        changeset="resale-2026-11",
        change="to-buyer-a",
        file="specs/resale.yaml",
        line=31,
        entry=n + 1,
        names=(NameUse("delivery", "buyer-a", "1053"),),
        done=("run-17",) if n % 1000 == 8 else (),
    )


def _odd(n: int) -> PlannedOperation:
    step = n // 10 % 5
    if step == 0:
        return planned(
            Reprocess(lead(n)), changeset="resale-2026-11", change="again", file="specs/resale.yaml", line=44
        )
    state = (State.ALREADY_APPLIED, State.UNCHANGED, State.HELD, State.IN_DOUBT)[step - 1]
    reasons = {
        State.ALREADY_APPLIED: "applied by run-12 on 2026-11-01",
        State.UNCHANGED: "observed value equals the new one",
        State.HELD: "waits behind the doubt about delivery 1053 in run-16",
        State.IN_DOUBT: "in flight in run-18",
    }
    operation: Operation = Update(lead(n), {"c1": "Bing"})
    if state is State.IN_DOUBT:
        operation = Trigger(lead(n), DeliveryId("1053"))
    if state is State.HELD:
        operation = Financials(lead(n), Cents(100), None)
    return planned(operation, change="late", line=50, state=state, reason=reasons[state], entry=n + 1)


def summary_of(
    lines: Iterator[PlannedOperation], *, warnings: tuple[str, ...] = (), blocked: tuple[Blocker, ...] = ()
) -> PlanSummary:
    """The summary that planning would write under these lines."""
    states = dict.fromkeys((state.value for state in State), 0)
    kinds = dict.fromkeys((counter_of(kind) for kind in Kind), 0)
    leads: set[str] = set()
    payout = revenue = total = 0
    for line in lines:
        total += 1
        states[line.state.value] += 1
        if line.state is not State.TO_SEND:
            continue
        kinds[counter_of(kind_of(line.operation))] += 1
        leads.add(line.operation.lead)
        if isinstance(line.operation, Financials):
            payout += line.operation.payout or 0
            revenue += line.operation.revenue or 0
    return PlanSummary(
        digest=DIGEST,
        counts=Counts(total=total, leads=len(leads), payout=payout, revenue=revenue, **states, **kinds),
        blocked=blocked,
        warnings=warnings,
        changesets=tuple(
            ChangesetHeader(id=ChangesetId(name), title=title, file=file, vars={"buyer": "1053"}, sources={})
            for name, title, file in (
                ("call-centre-uplift", "Payout uplift after switching", "specs/uplift.yaml"),
                ("postcode-repair-2026-11", "Repair postcodes captured by the short form", "specs/repair.yaml"),
                ("resale-2026-11", "Resale of unsold leads", "specs/resale.yaml"),
            )
        ),
    )


WARNINGS = (
    "payout 800.00 of lead 2932689 is ten times the median 80.00 of change switched (specs/uplift.yaml:9)",
    "buyer 34 in 1 of 500 leads of change switched; the others have 33 (specs/uplift.yaml:9)",
    "lead 2932690 is in changes campaign-tag and captured-by-short-form (specs/repair.yaml:12, specs/repair.yaml:20)",
    "delivery 1053: 3 leads already went there (run-17)",
    "change late matches no row (specs/repair.yaml:50)",
    "field postocde stands in one change only; did you mean postcode? (specs/repair.yaml:13)",
    "the policy differs from the one of the last run (run-18): max_leads 500, was 100 (syncengine.yaml:31)",
)

_NUMBERS: tuple[tuple[Severity, range], ...] = (
    ("high", range(5)),
    ("medium", range(5, 10)),
    ("info", range(10, 12)),
)
FINDINGS = tuple(
    Finding(
        rule="rare-target",
        severity=severity,
        message=f"buyer 34 for only {number} of 5,000 leads in change switched of call-centre-uplift",
        changeset="call-centre-uplift",
        change="switched",
        count=number,
        leads=(lead(7),),
        evidence=(
            Evidence(
                operation=operation_id("acme", ChangesetId("call-centre-uplift"), _money(7).operation),
                lead=lead(7),
                field="buyer",
                before="33",
                after="34",
                file="data/uplift.csv",
                line=100 + number,
            ),
        ),
    )
    for severity, numbers in _NUMBERS
    for number in numbers
)
"""Twelve findings about one lead that stands late in the plan."""

BLOCKED = (
    Blocker(reason="max_irreversible: 112 operations, limit 100 (syncengine.yaml:33)"),
    Blocker(
        operation=operation_id("acme", ChangesetId("resale-2026-11"), Trigger(lead(8), DeliveryId("1053"))),
        lead=lead(8),
        kind="trigger",
        reason="delivery 1053 is on record for this lead from changeset launch (run-17); rerun: 2 does it again",
    ),
)


HOSTILE = (*attacks.texts("markup"), *attacks.texts("log_commands"))
"""Texts that a lead, a title, a service or a colleague might carry into a view."""


def hostile_operations(texts: Sequence[str] = HOSTILE) -> Iterator[PlannedOperation]:
    """Every one of these texts in every place that foreign text can reach."""
    for n, text in enumerate(texts):
        name = text.encode("utf-8", "replace").decode()
        yield planned(
            Update(lead(n), {name: text, "postcode": text}),
            change=text,
            file=f"specs/{text}.yaml",
            reason=text,
            entry=n + 1,
            before={name: Before("ledger", text[::-1], text), "postcode": Before("unknown", None, "", text)},
        )
        yield planned(Update(lead(n), {"c1": text}), state=State.HELD, reason=text, change=text)
        yield planned(
            Trigger(lead(n), DeliveryId(f"10{n}")),
            change=text,
            done=(text,),
            names=(NameUse("delivery", text, f"10{n}"),),
        )
        yield planned(
            Financials(lead(n), Cents(100), None, BuyerId(text)),
            change=text,
            before={"payout": Before("observed", text, text)},
        )


def hostile_summary(texts: Sequence[str] = HOSTILE) -> PlanSummary:
    """A summary whose every text is one of these."""
    plain = summary_of(hostile_operations(texts), warnings=tuple(texts))
    return PlanSummary(
        digest=plain.digest,
        counts=plain.counts,
        blocked=tuple(Blocker(reason=text, kind=text, lead=LeadId(text), operation=None) for text in texts),
        warnings=tuple(texts),
        changesets=tuple(
            ChangesetHeader(id=ChangesetId("postcode-repair-2026-11"), title=text, file=text, vars={}, sources={})
            for text in texts
        ),
    )


HOSTILE_PROVENANCE = Provenance(
    created=HOSTILE[0], tool=HOSTILE[3], ledger_id=None, ledger_position=0, ledger_note=" ".join(HOSTILE[:12])
)
