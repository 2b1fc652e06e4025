"""Whatever happened since: planning again gives the interrupted plan itself or a new one with a reason, and nothing
irreversible is done twice."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, event, given, note, settings
from hypothesis import strategies as st

from tests.crash.bench import Bench
from tests.postgres_server import PostgresServer

LEADS = ["11", "12", "13", "14"]
CHANGES: list[dict[str, Any]] = [
    *({"lead": lead, "update": {"c1": "a"}, "trigger": ["1053"]} for lead in LEADS),
    {"lead": "13", "financials": {"payout": "80.00", "revenue": "120.00"}},
    {"lead": "21", "update": {"c1": "b"}},
    {"lead": "22", "update": {"c1": "b"}},
]
LIMITS = {"leads_per_request": 1, "irreversible_per_request": 1, "attempts": 1}

FAULTS: dict[str, dict[str, Any]] = {
    "key refused": {"effect": "none", "answer": {"status": 401, "body": "error"}},
    "lost, done": {"effect": "all", "answer": "reset"},
    "lost, not done": {"effect": "none", "answer": "reset"},
    "rejected": {"reject": {"message": "No"}},
}
FOREIGN: dict[str, dict[str, Any]] = {
    "same field": {"update": {"c1": "z"}},
    "other field": {"update": {"c2": "z"}},
    "same delivery": {"trigger": ["1053"]},
    "other delivery": {"trigger": ["1054"]},
    "money": {"financials": {"payout": "1.00"}},
}

_NTH = st.integers(1, 7)
_APPLIED = st.tuples(st.just("apply"), st.sampled_from(sorted(FAULTS)), _NTH)
_KILLED = st.tuples(st.just("kill"), st.sampled_from(["received", "after_effect", "answered"]), _NTH)
_STEPS = st.lists(
    st.one_of(
        _APPLIED,
        _APPLIED,
        _KILLED,
        st.tuples(st.just("resolve")),
        st.tuples(st.just("foreign"), st.sampled_from(sorted(FOREIGN)), st.sampled_from([*LEADS, "21"])),
        st.tuples(st.just("plan")),
    ),
    min_size=1,
    max_size=5,
)
_START = st.one_of(_APPLIED, _KILLED)


class Story:
    """One repository whose runner, with the plan's file, is lost again and again."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._foreign = 0
        bench.configure(limits=LIMITS)
        bench.changeset("one", *CHANGES)
        self._plan = self._planned()["plan"]

    def _planned(self) -> Any:
        (self._bench.folder / "release.plan").unlink(missing_ok=True)
        ended = self._bench.cli(
            "plan", self._bench.folder / "specs", "--out", self._bench.folder / "release.plan", "--format", "json"
        )
        assert ended.code in (0, 3), ended
        return ended.json

    def apply(self, fault: str, nth: int) -> None:
        self._bench.faults({"match": {"nth": nth}, "fault": FAULTS[fault]})
        self._bench.apply()
        self._bench.faults()

    def kill(self, at: str, nth: int) -> None:
        pid_file = self._bench.folder / "pid"
        signal = {"send": "KILL", "at": at, "pid_file": str(pid_file)}
        self._bench.faults({"match": {"nth": nth}, "fault": {"signal": signal}})
        process = self._bench.start("apply", "release.plan")
        pid_file.write_text(str(process.pid))
        process.wait(60)
        self._bench.faults()
        if self._bench.ledger_url.startswith("postgres"):
            self._bench.cli("ledger", "release", "--account", "acme", "--by", "ann", "--note", "killed")

    def resolve(self) -> None:
        """Someone looks at the service, and says what happened to each operation in doubt."""
        done = self._bench.done()
        for doubt in self._bench.status()["in_doubt"]:
            what = " ".join(filter(None, (doubt["kind"], doubt["lead"], doubt["delivery"])))
            self._bench.resolve("applied" if done[what] else "not-applied", doubt["operation"])

    def foreign(self, what: str, lead: str) -> None:
        """Another changeset does something to a lead."""
        self._foreign += 1
        name = f"two{self._foreign}"
        self._bench.changeset(name, {"lead": lead, **FOREIGN[what]})
        path = self._bench.plan(name, out=f"{name}.plan", code=None)
        self._bench.apply(path)
        (self._bench.folder / "specs" / f"{name}.yaml").unlink()

    def plan(self) -> None:
        """A fresh runner plans, and what it gets is as promised."""
        unfinished = {plan["plan"] for plan in self._bench.status()["unfinished_plans"]}
        view = self._planned()
        again = view["plan"] == self._plan
        told = [finding["message"] for finding in view["findings"] if finding["rule"] == "unfinished-plan"]
        event("the same plan" if again else "a new plan")
        note(f"{'the same' if again else 'a new'} plan: {view['progress']} {told}")
        if again and view["progress"] is not None:
            assert self._is_left_open()
            assert view["settled"] + view["left"] == view["operations"]["total"]
            assert view["left"] > 0
            assert not [message for message in told if self._plan[:12] in message]
        elif self._plan in unfinished:
            assert not again
            assert any(self._plan[:12] in message and "new plan: " in message for message in told)
        self._plan = view["plan"]

    def _is_left_open(self) -> bool:
        """Whether something was never sent, or is an update or amount of unknown outcome."""
        outcomes = {(row["kind"], row["lead"]): row["outcome"] for row in self._bench.history("--changeset", "one")}
        declared = {
            *(("update", change["lead"]) for change in CHANGES if "update" in change),
            *(("trigger", lead) for lead in LEADS),
            ("financials", "13"),
        }
        return any(
            outcomes.get(key, "not_sent") == "not_sent" or (outcomes[key] == "in_doubt" and key[0] != "trigger")
            for key in declared
        )

    def finish(self) -> None:
        """An interrupted plan that is gone on with is never refused, and nothing irreversible is done twice."""
        self.plan()
        view = self._bench.cli("show", self._bench.folder / "release.plan", "--format", "json")
        ended = self._bench.apply()
        assert view.code == 0, view
        if view.json["progress"] is not None:
            assert ended.code in (0, 4, 5), ended
        done: Counter[str] = self._bench.done()
        assert all(count == 1 for what, count in done.items() if what.startswith("trigger")), done


def _tell(bench: Bench, start: tuple[Any, ...], steps: list[tuple[Any, ...]]) -> None:
    story = Story(bench)
    for name, *words in (start, ("plan",), *steps):
        getattr(story, name)(*words)
    story.finish()


_QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@settings(max_examples=10, deadline=None, suppress_health_check=_QUIET)
@given(start=_START, steps=_STEPS)
def test_any_history_on_sqlite(start: tuple[Any, ...], steps: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder, Bench(Path(folder)) as bench:
        bench.found()
        _tell(bench, start, steps)


@settings(max_examples=5, deadline=None, suppress_health_check=_QUIET)
@given(start=_START, steps=_STEPS)
def test_any_history_on_postgresql(
    postgres_server: PostgresServer, start: tuple[Any, ...], steps: list[tuple[Any, ...]]
) -> None:
    url = postgres_server.new_database()
    with tempfile.TemporaryDirectory() as folder, Bench(Path(folder), ledger_url=url) as bench:
        bench.found()
        _tell(bench, start, steps)
