"""Single bits of a ledger's file are flipped, one at a time, and the command line is used on what that leaves.

`python -m tests.crash.damage --flips 5000 --seed 3` makes a longer series than the tests do.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tests.crash.bench import Bench, Ended

REFUSED = 3
READERS = (
    ("status", "--format", "json"),
    ("history", "--format", "json"),
    ("history", "--lead", "11", "--format", "json"),
    ("ledger", "export"),
)
ALLOWED = {"plan": {0, 2, 3}, "apply": {0, 3, 4, 5}, "ledger check": {0, 1}}


class FlipTally(msgspec.Struct):
    """What a series came to."""

    flips: int = 0
    refused: int = 0
    """Flips that `plan` or `apply` refused."""
    unsound: int = 0
    """Flips that `ledger check` found."""
    doubled: int = 0
    verdicts: list[str] = []

    def table(self) -> str:
        """The figures, one a line."""
        return (
            f"flips {self.flips}\nrefused before anything was sent {self.refused}\nfound by ledger check {self.unsound}"
            f"\nsent twice {self.doubled}\nverdicts {len(self.verdicts)}\n" + "\n".join(self.verdicts)
        )


def write_history(bench: Bench) -> None:
    """A ledger with every kind of record: all kinds of operations, refusals, doubts, resolutions, an erasure."""
    bench.faults({"match": {"lead": "99"}, "fault": {"reject": {"message": "No", "leads": ["99"]}}})
    bench.send("refused", *[{"lead": str(lead), "update": {"c1": "a"}, "trigger": ["1053"]} for lead in (98, 99)])
    bench.send("gone", {"lead": "97", "update": {"c1": "a"}, "trigger": ["1053"]})
    bench.faults()
    everything: list[dict[str, Any]] = [
        {"lead": str(lead), "update": {"postcode": f"TN25 {lead}", "c1": "a"}, "trigger": ["1053", "1054"]}
        for lead in range(11, 41)
    ]
    everything += [{"lead": str(lead), "action": "reprocess"} for lead in range(51, 71)]
    everything += [{"lead": str(lead), "financials": {"payout": "80.00", "buyer": "33"}} for lead in range(71, 81)]
    everything += [{"lead": str(lead), "return": {"buyer": "33", "reason": "DNCC"}} for lead in range(81, 86)]
    bench.send("everything", *everything)
    bench.faults(
        *[
            {"match": {"lead": str(lead)}, "fault": {"effect": "all", "answer": {"body": "empty"}}}
            for lead in range(91, 94)
        ]
    )
    bench.send("doubts", *[{"lead": str(lead), "trigger": ["1053"]} for lead in range(91, 94)])
    bench.faults()
    doubts = [doubt["operation"] for doubt in bench.status()["in_doubt"]]
    for operation, verdict in zip(doubts, ("applied", "not-applied"), strict=False):
        resolved = bench.resolve(verdict, operation)
        assert resolved.code == 0, resolved
    bench.send("again", {"lead": "11", "trigger": ["1053"], "rerun": 2})
    bench.cli("ledger", "forget", "97", "--by", "ann")
    for name in ("refused", "gone"):  # nothing of these is to be sent again
        (bench.folder / "specs" / f"{name}.yaml").unlink()


class Damage:
    """One ledger, whole, and the copy of it in which bits are flipped."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.file = bench.folder / ".syncengine" / "ledger.db"
        self.whole = self.file.read_bytes()
        log = self.file.with_name("ledger.db-wal")
        assert not log.exists() or not log.stat().st_size
        self.tally = FlipTally()
        self.plain = self._planned()
        self.before = bench.done()

    def _planned(self) -> Ended:
        return self.bench.cli("plan", self.bench.folder / "specs", "--format", "json")

    def put(self, content: bytes) -> None:
        """Replace the ledger's file."""
        for name in ("ledger.db-wal", "ledger.db-shm"):
            self.file.with_name(name).unlink(missing_ok=True)
        self.file.write_bytes(content)

    def flip(self, bit: int) -> None:
        """Flip one bit, use every command, and judge."""
        content = bytearray(self.whole)
        content[bit // 8] ^= 1 << bit % 8
        self.put(bytes(content))
        self.judge(f"bit {bit} (page {bit // 32768 + 1}, byte {bit // 8 % 4096})")
        self.tally.flips += 1

    def judge(self, what: str) -> None:
        """Use every command on the file as it is."""
        self._judge_readers(what)
        planned, applied = self._planned(), self.bench.apply("everything.plan")
        self._expect(what, "plan", planned)
        self._expect(what, "apply", applied)
        if REFUSED in (planned.code, applied.code):
            self.tally.refused += 1
        elif _sendings(planned) != _sendings(self.plain):
            self.tally.verdicts.append(f"{what}: plan differs and was not refused")
        done = self.bench.done()
        twice = {name for name in done - self.before if not name.startswith(("update", "financials"))}
        if twice:
            self.tally.doubled += len(twice)
            self.tally.verdicts.append(f"{what}: sent again: {sorted(twice)}")
            self.before = done

    def _judge_readers(self, what: str) -> None:
        checked = self.bench.cli("ledger", "check", "--format", "json")
        self._expect(what, "ledger check", checked)
        self.tally.unsound += checked.code == 1
        for words in READERS:
            self._expect(what, " ".join(words), self.bench.cli(*words))

    def _expect(self, what: str, command: str, ended: Ended) -> None:
        if "SE999" in ended.out + ended.err or "Traceback" in ended.err:
            self.tally.verdicts.append(f"{what}: {command} ended in an internal error: {ended}")
        if ended.code not in ALLOWED.get(command, {0, 3}):
            self.tally.verdicts.append(f"{what}: {command} ended with {ended}")
        if ended.code == REFUSED and command in ALLOWED and ended.json["error"]["code"] != "SE663":
            self.tally.verdicts.append(f"{what}: {command} was refused for another reason: {ended}")


def _sendings(planned: Ended) -> Any:
    try:
        document = planned.json
    except json.JSONDecodeError:
        return planned.out
    return document.get("plan"), document.get("operations")


def run_flips(
    folder: Path, flips: int, seed: int, note: Callable[[str], None] = lambda _: None, only: int | None = None
) -> FlipTally:
    """Flip so many bits, chosen at random over the whole file."""
    with Bench(folder) as bench:
        bench.found()
        write_history(bench)
        damage = Damage(bench)
        chance = random.Random(seed)
        bits = [only] if only is not None else [chance.randrange(len(damage.whole) * 8) for _ in range(flips)]
        for bit in bits:
            damage.flip(bit)
            if damage.tally.flips % 100 == 0:
                note(damage.tally.table())
        return damage.tally


def main() -> None:
    """A series from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flips", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bit", type=int)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="syncengine-flips-"))
    try:
        tally = run_flips(folder, options.flips, options.seed, lambda text: print(text, flush=True), options.bit)
    finally:
        shutil.rmtree(folder)
    print(tally.table())
    sys.exit(bool(tally.verdicts))


if __name__ == "__main__":
    main()
