"""A folder with one plan for each changeset, and the command line that applies it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.crash.bench import Bench, Ended

FOLDER = "plans"
TRIGGER: dict[str, Any] = {"lead": "11", "trigger": ["1053"]}
MONEY: dict[str, Any] = {"lead": "11", "financials": {"payout": "80"}}


def update(value: str, *, field: str = "c1", lead: str = "11") -> dict[str, Any]:
    return {"lead": lead, "update": {field: value}}


def updates(first: int, count: int) -> list[dict[str, Any]]:
    """One field of each of these leads."""
    return [update("a", lead=str(first + number)) for number in range(count)]


def triggers(first: int, count: int) -> list[dict[str, Any]]:
    """One delivery of each of these leads."""
    return [{"lead": str(first + number), "trigger": ["1053"]} for number in range(count)]


def plan_each(bench: Bench, *names: str, folder: str = FOLDER) -> Path:
    """One plan for each of these changesets, and plans.json."""
    target = bench.folder / folder
    wanted = [word for name in names for word in ("--changeset", name)]
    ended = bench.cli("plan", bench.folder / "specs", "--each", target, *wanted, "--format", "json")
    assert ended.code in (0, 3), ended
    return target


def declare(bench: Bench, **changesets: list[dict[str, Any]]) -> Path:
    """Write these changesets (`_` in a name stands for `-`), and plan each of them."""
    names = [name.replace("_", "-") for name in changesets]
    for name, changes in zip(names, changesets.values(), strict=True):
        bench.changeset(name, *changes)
    return plan_each(bench, *names)


def apply_folder(bench: Bench, *options: str, folder: Path | str = FOLDER) -> Ended:
    return bench.cli("apply", bench.folder / folder, "--format", "json", *options)


def counts(ended: Ended) -> dict[str, dict[str, int]]:
    """Counts above zero of each plan, by changeset."""
    return {
        plan["changeset"]: {name: count for name, count in plan["counts"].items() if count}
        for plan in ended.json["plans"]
    }


def listed_in(folder: Path) -> Any:
    return json.loads((folder / "plans.json").read_text())


def rewrite(folder: Path, content: Any) -> None:
    (folder / "plans.json").write_text(json.dumps(content))
