"""A damaged ledger is refused before anything is sent; docs/reliability.md has the figures of long series."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .bench import Bench
from .damage import Damage, run_flips, write_history


def test_no_flipped_bit_sends_anything_twice(tmp_path: Path) -> None:
    tally = run_flips(tmp_path, flips=200, seed=1)
    assert (tally.doubled, tally.verdicts) == (0, []), "\n".join(tally.verdicts)
    assert tally.refused > 20


@pytest.fixture
def damage(tmp_path: Path) -> Iterator[Damage]:
    with Bench(tmp_path) as bench:
        bench.found()
        write_history(bench)
        yield Damage(bench)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda whole: b"", "is empty"),
        (lambda whole: whole[: len(whole) // 2], "ledger is damaged"),
        (lambda whole: whole[:-4096], "ledger is damaged"),
        (lambda whole: whole[:100], "ledger is damaged"),
        (lambda whole: b"lead_id,payout\n" * 1000, "not an SQLite database"),
    ],
    ids=["empty", "half", "last-page-gone", "cut-header", "text"],
)
def test_a_file_that_is_no_whole_ledger_is_refused(damage: Damage, harm: Callable[[bytes], bytes], words: str) -> None:
    damage.put(harm(damage.whole))
    damage.judge("the file")
    assert (damage.tally.doubled, damage.tally.verdicts, damage.tally.unsound) == (0, [], 1)
    for ended in (damage.bench.apply("everything.plan"), damage.bench.cli("plan", damage.bench.folder / "specs")):
        assert ended.code == 3
        assert words in ended.out + ended.err
    assert damage.bench.cli("ledger", "check").code == 1
