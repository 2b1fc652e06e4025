"""plans.json: what is written is what is read, and everything else is one clear error."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncengine.core.errors import InputError
from syncengine.core.plan import Counts, PlanSummary
from syncengine.core.values import ChangesetId, PlanDigest
from syncengine.planning.plans_file import PlansFile, listed, read_plans_file, write_plans_file
from tests.small_disk import files_no_larger_than

COUNTS = Counts(total=3, to_send=2, unchanged=1)


def entry(changeset: str, digest: str = "a" * 64) -> Any:
    summary = PlanSummary(
        digest=PlanDigest(digest), counts=COUNTS, parts={"policy": "p", f"changeset:{changeset}": "c"}
    )
    return listed(ChangesetId(changeset), summary, settled=1, left=2)


def content(*changesets: str) -> PlansFile:
    return PlansFile(account="acme", plans=tuple(map(entry, changesets)), warnings=("look",))


def edited(folder: Path, edit: Callable[[Any], object]) -> Path:
    """A plans.json of two plans, changed by `edit`."""
    path = write_plans_file(folder, content("first", "second"))
    document = json.loads(path.read_text(encoding="utf-8"))
    edit(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    path = write_plans_file(tmp_path, content("first", "second"))
    assert read_plans_file(path) == content("first", "second")
    assert [path.name for path in tmp_path.iterdir()] == ["plans.json"]
    plan = json.loads(path.read_text(encoding="utf-8"))["plans"][0]
    assert plan == {
        "changeset": "first",
        "plan": "a" * 64,
        "file": "first.plan",
        "operations": {
            "total": 3,
            "to_send": 2,
            "already_applied": 0,
            "unchanged": 1,
            "held": 0,
            "blocked": 0,
            "in_doubt": 0,
        },
        "settled": 1,
        "left": 2,
        "parts": {"policy": "p", "changeset:first": "c"},
    }


def test_plans_are_read_in_the_order_of_their_changesets(tmp_path: Path) -> None:
    path = write_plans_file(tmp_path, content("second", "first"))
    assert [plan.changeset for plan in read_plans_file(path).plans] == ["first", "second"]


def test_an_empty_list_is_a_list(tmp_path: Path) -> None:
    assert read_plans_file(write_plans_file(tmp_path, content())).plans == ()


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda d: d.pop("account"), "account"),
        (lambda d: d.update(account=7), "$.account"),
        (lambda d: d.update(more=1), "more"),
        (lambda d: d.update(plans={}), "$.plans"),
        (lambda d: d["plans"][1].update(file="../second.plan"), "called second.plan, not '../second.plan'"),
        (lambda d: d["plans"][1].update(file="first.plan"), "called second.plan"),
        (lambda d: d["plans"][1].update(changeset="../etc", file="../etc.plan"), "no id of a changeset"),
        (lambda d: d["plans"][1].update(plan="A" * 64), "no digest"),
        (lambda d: d["plans"][1].update(plan="a" * 63), "no digest"),
        (lambda d: d["plans"][1].update(changeset="first", file="first.plan"), "listed twice"),
        (lambda d: d["plans"][1].update(settled=-1), "settled and left"),
        (lambda d: d["plans"][1].update(left=True), "$.plans[1].left"),
        (lambda d: d["plans"][1]["operations"].update(total=4), "add up"),
        (lambda d: d["plans"][1]["operations"].pop("held"), "held"),
        (lambda d: d["plans"][1]["parts"].update(policy=None), "$.plans[1].parts"),
        (lambda d: d["warnings"].append(3), "$.warnings"),
    ],
)
def test_a_wrong_entry_is_one_error_that_names_it(tmp_path: Path, edit: Callable[[Any], object], says: str) -> None:
    with pytest.raises(InputError) as caught:
        read_plans_file(edited(tmp_path, edit))
    assert caught.value.code == "SE140"
    assert says in caught.value.message


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\xff",
        b"[" * 100_000,
        b'{"account": "acme", "plans": [], "warnings": [], "account": "other"}',
        b'{"account": NaN, "plans": [], "warnings": []}',
        b'{"account": "\\ud800", "plans": [], "warnings": []}',
        b'{"account": "acme", "plans": [], "warnings": []} {}',
        b'{"account": "acme", "plans": [' + b"9" * 10_000 + b'], "warnings": []}',
        b'\xef\xbb\xbf{"account": "acme", "plans": [], "warnings": []}',
    ],
)
def test_garbage_is_one_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "plans.json"
    path.write_bytes(data)
    with pytest.raises(InputError, match="is not a list of plans") as caught:
        read_plans_file(path)
    assert "plan --each" in caught.value.hint


def test_an_error_of_syntax_names_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "plans.json"
    path.write_bytes(b'{\n  "account": x\n}\n')
    with pytest.raises(InputError, match="line 2, column 14"):
        read_plans_file(path)


def test_links_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    path = write_plans_file(tmp_path, content("first"))
    (tmp_path / "link.json").symlink_to(path)
    os.mkfifo(tmp_path / "pipe.json")
    for name, says in (
        ("link.json", "symbolic link"),
        ("pipe.json", "not an ordinary file"),
        ("", "ordinary file"),
        ("nothing.json", "No such file"),
        ("nul\0.json", "null byte"),
    ):
        with pytest.raises(InputError, match=says):
            read_plans_file(tmp_path / name)


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plans.json"
    with path.open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(InputError, match="67,108,864 bytes"):
        read_plans_file(path)


def test_a_full_disk_leaves_no_list(tmp_path: Path) -> None:
    with files_no_larger_than(10), pytest.raises(InputError, match="cannot write"):
        write_plans_file(tmp_path, content("first"))
    assert list(tmp_path.iterdir()) == []
