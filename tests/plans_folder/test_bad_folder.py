"""A folder that is not exactly what its plans.json lists is refused before anything is sent."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.bench import Bench, Ended
from tests.plans_folder.team import apply_folder, declare, listed_in, plan_each, rewrite, update


def declared(bench: Bench) -> Path:
    return declare(bench, a_first=[update("a", lead="1")], b_second=[update("b", lead="2")])


def assert_refused(bench: Bench, ended: Ended, code: str, *words: str) -> None:
    assert (ended.code, ended.json["exit"], ended.json["error"]["code"]) == (3, 3, code), ended
    assert ended.json["error"]["hint"]
    for word in words:
        assert word in ended.json["error"]["message"]
    assert bench.requests == []
    assert bench.history() == []


# Faults of single plans


def foreign(folder: Path) -> str:
    shutil.copy(folder / "a-first.plan", folder / "of-a-deleted-changeset.plan")
    return "of-a-deleted-changeset.plan is not listed"


def foreign_garbage(folder: Path) -> str:
    (folder / "x.plan").write_text("no plan")
    return "x.plan is not listed"


def hidden(folder: Path) -> str:
    shutil.copy(folder / "a-first.plan", folder / ".a-first.plan")
    return ".a-first.plan is not listed"


def dangling(folder: Path) -> str:
    (folder / "x.plan").symlink_to("nowhere")
    return "x.plan is not listed"


def subfolder(folder: Path) -> str:
    (folder / "x.plan").mkdir()
    return "x.plan is not listed"


def missing(folder: Path) -> str:
    (folder / "b-second.plan").unlink()
    return "cannot read the plan"


def altered(folder: Path) -> str:
    path = folder / "b-second.plan"
    path.write_bytes(path.read_bytes().replace(b'"c1":"b"', b'"c1":"z"'))
    return "b-second.plan"


def cut(folder: Path) -> str:
    path = folder / "b-second.plan"
    path.write_bytes(path.read_bytes()[:-20])
    return "b-second.plan"


def empty(folder: Path) -> str:
    (folder / "b-second.plan").write_bytes(b"")
    return "b-second.plan"


def exchanged(folder: Path) -> str:
    shutil.copy(folder / "a-first.plan", folder / "b-second.plan")
    return "plans.json lists plan"


def a_folder_instead(folder: Path) -> str:
    (folder / "b-second.plan").unlink()
    (folder / "b-second.plan").mkdir()
    return "b-second.plan is not a file"


def fifo(folder: Path) -> str:
    (folder / "b-second.plan").unlink()
    os.mkfifo(folder / "b-second.plan")
    return "b-second.plan is not a file"


def link(folder: Path) -> str:
    (folder / "b-second.plan").rename(folder / "elsewhere")
    (folder / "b-second.plan").symlink_to("elsewhere")
    return "symbolic link"


def another_digest(folder: Path) -> str:
    content = listed_in(folder)
    content["plans"][1]["plan"] = "0" * 64
    rewrite(folder, content)
    return "plans.json lists plan 000000000000"


def another_account(folder: Path) -> str:
    content = listed_in(folder)
    content["account"] = "other"
    rewrite(folder, content)
    return "a plan for account acme, and plans.json is for account other"


def renamed(folder: Path) -> str:
    content = listed_in(folder)
    content["plans"][1] |= {"changeset": "c-third", "file": "c-third.plan"}
    rewrite(folder, content)
    (folder / "b-second.plan").rename(folder / "c-third.plan")
    return "a plan of b-second, and plans.json lists changeset c-third"


def left_out_of_the_list(folder: Path) -> str:
    content = listed_in(folder)
    del content["plans"][1]
    rewrite(folder, content)
    return "b-second.plan is not listed"


@pytest.mark.parametrize(
    "spoil",
    [
        foreign, foreign_garbage, hidden, dangling, subfolder, missing, altered, cut, empty, exchanged,
        a_folder_instead, fifo, link, another_digest, another_account, renamed, left_out_of_the_list,
    ],
)  # fmt: skip
def test_a_plan_that_does_not_fit_the_list_is_refused(bench: Bench, spoil: Callable[[Path], str]) -> None:
    folder = declared(bench)
    words = spoil(folder)
    ended = apply_folder(bench)
    assert_refused(bench, ended, "SE671", words)
    assert all(each["file"].startswith(str(folder)) for each in ended.json["diagnostics"])


def test_every_fault_is_told_at_once(bench: Bench) -> None:
    folder = declared(bench)
    foreign(folder)
    missing(folder)
    ended = apply_folder(bench)
    assert_refused(bench, ended, "SE671", "and 1 more")
    assert [Path(each["file"]).name for each in ended.json["diagnostics"]] == [
        "of-a-deleted-changeset.plan",
        "b-second.plan",
    ]


def test_a_plan_of_another_version_says_so(bench: Bench) -> None:
    folder = declared(bench)
    path = folder / "b-second.plan"
    path.write_bytes(path.read_bytes().replace(b'"syncengine_plan":2', b'"syncengine_plan":1', 1))
    ended = apply_folder(bench)
    assert_refused(bench, ended, "SE671")


def test_an_old_plan_of_the_same_changeset_is_refused(bench: Bench) -> None:
    folder = declared(bench)
    old = (folder / "b-second.plan").read_bytes()
    bench.changeset("b-second", update("corrected", lead="2"))
    plan_each(bench, "a-first", "b-second")
    (folder / "b-second.plan").write_bytes(old)
    assert_refused(bench, apply_folder(bench), "SE671", "plans.json lists plan")


def test_a_foreign_plan_beside_an_empty_list_is_refused(bench: Bench) -> None:
    folder = declared(bench)
    rewrite(folder, listed_in(folder) | {"plans": []})
    assert_refused(bench, apply_folder(bench), "SE671", "a-first.plan is not listed and 1 more")


def test_approvals_and_other_files_beside_the_plans_do_not_matter(bench: Bench) -> None:
    folder = declared(bench)
    (folder / "a-first.plan.approval").write_text("")
    (folder / "summary.html").write_text("")
    assert apply_folder(bench).code == 0


# plans.json


@pytest.mark.parametrize(
    "text",
    [
        "", "no JSON", "[]", "{}", '{"account": "acme", "plans": {}, "warnings": []}', "\x00" * 50, "[" * 100_000,
        '{"account": "acme", "account": "acme", "plans": [], "warnings": []}',
    ],
    ids=range(8),
)  # fmt: skip
def test_a_list_that_is_none_is_refused(bench: Bench, text: str) -> None:
    folder = declared(bench)
    (folder / "plans.json").write_text(text)
    assert_refused(bench, apply_folder(bench), "SE671", "plans.json")


def test_a_list_that_leads_out_of_the_folder_is_refused(bench: Bench) -> None:
    folder = declared(bench)
    content = listed_in(folder)
    (folder / "b-second.plan").rename(bench.folder / "b-second.plan")
    content["plans"][1]["file"] = "../b-second.plan"
    rewrite(folder, content)
    assert_refused(bench, apply_folder(bench), "SE671", "../b-second.plan")


def test_without_a_list_nothing_is_applied(bench: Bench) -> None:
    folder = declared(bench)
    (folder / "plans.json").unlink()
    assert_refused(bench, apply_folder(bench), "SE670", "has no plans.json")


def test_an_empty_folder_has_no_list(bench: Bench) -> None:
    (bench.folder / "plans").mkdir()
    assert_refused(bench, apply_folder(bench), "SE670", "has no plans.json")


@pytest.mark.parametrize("kind", ["link", "dangling", "fifo", "folder"])
def test_a_list_that_is_no_ordinary_file_is_refused(bench: Bench, kind: str) -> None:
    folder = declared(bench)
    path = folder / "plans.json"
    path.rename(folder / "elsewhere.json")
    match kind:
        case "link":
            path.symlink_to("elsewhere.json")
        case "dangling":
            path.symlink_to("nowhere")
        case "fifo":
            os.mkfifo(path)
        case _:
            path.mkdir()
    assert_refused(bench, apply_folder(bench), "SE671", "plans.json")


# Accounts, ledgers


def test_an_account_that_the_configuration_does_not_have_is_refused(bench: Bench) -> None:
    declared(bench)
    bench.configure(name="renamed")
    assert_refused(bench, apply_folder(bench), "SE601", "acme")


def test_another_host_is_refused_plan_by_plan(bench: Bench) -> None:
    declared(bench)
    bench.configure(base_url="https://acme.leadbyte.co.uk")
    ended = apply_folder(bench)
    assert ended.code == 3
    assert bench.requests == []


def test_a_changed_policy_refuses_every_plan(bench: Bench) -> None:
    declared(bench)
    bench.configure(policy={"max_leads": 100})
    ended = apply_folder(bench)
    assert (ended.code, [each["code"] for each in ended.json["refused"]]) == (3, ["SE603", "SE603"])
    assert bench.requests == []


def test_a_missing_approval_file_is_named(bench: Bench) -> None:
    declared(bench)
    ended = apply_folder(bench, "--approval", "nowhere.approval")
    assert (ended.code, ended.json["error"]["code"]) == (1, "SE902")
    assert bench.requests == []


def test_a_missing_key_sends_nothing(bench: Bench) -> None:
    declared(bench)
    (bench.folder / "api.key").unlink()
    ended = apply_folder(bench)
    assert (ended.code, ended.json["error"]["code"]) == (1, "SE532")
    assert bench.history() == []
