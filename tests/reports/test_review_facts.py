"""What views say of a plan besides its lines: its commit, links to the forge, money on one base, and its approvals."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from syncengine.core.operations import Financials
from syncengine.core.plan import Before
from syncengine.core.values import Cents
from syncengine.planning.made_from import made_from
from syncengine.reports.forge import find_forge, html_artifact
from syncengine.reports.money import MoneyBase
from tests.reports.samples import lead, planned

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("origin", "link"),
    [
        ("git@github.com:acme/leads.git", "https://github.com/acme/leads/blob/{}/sub/data/a%20b.csv#L7"),
        ("https://me:s3cret@github.com/acme/leads", "https://github.com/acme/leads/blob/{}/sub/data/a%20b.csv#L7"),
        ("ssh://git@gitlab.acme.org:2222/x/y/leads.git", "https://gitlab.acme.org/x/y/leads/-/blob/{}/sub/data/a%20b.csv#L7"),
    ],
)  # fmt: skip
def test_files_are_linked_at_the_commit_without_any_credential(origin: str, link: str) -> None:
    forge = find_forge({}, origin, "sub/")
    assert forge is not None
    assert forge.link(COMMIT, "data/a b.csv", 7) == link.format(COMMIT)


@pytest.mark.parametrize(
    "origin",
    ["", "/srv/git/leads.git", "https://example.com/acme/leads", "https://github.com/a/b c/<x>", "git@github.com:x"],
)
def test_other_remotes_are_not_linked(origin: str) -> None:
    assert find_forge({}, origin, "") is None


def test_variables_of_ci_decide_before_the_remote() -> None:
    github = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/leads", "GITHUB_RUN_ID": "42"}
    forge = find_forge(github, "git@gitlab.com:other/leads.git", "")
    assert forge is not None
    assert forge.link(COMMIT, "a.yaml", 3) == f"https://github.com/acme/leads/blob/{COMMIT}/a.yaml#L3"
    assert html_artifact(github) == "https://github.com/acme/leads/actions/runs/42#artifacts"
    gitlab = {"CI_PROJECT_URL": "https://gitlab.com/acme/leads", "CI_JOB_ID": "7"}
    assert html_artifact(gitlab) == "https://gitlab.com/acme/leads/-/jobs/7/artifacts/browse"
    assert html_artifact({}) == ""


@pytest.mark.parametrize("file", ["../outside.csv", "/etc/passwd", "data/../../x.csv", "a\nb.csv"])
def test_files_outside_the_repository_are_not_linked(file: str) -> None:
    forge = find_forge({}, "git@github.com:acme/leads.git", "")
    assert forge is not None
    assert forge.link(COMMIT, file, 1) == ""
    assert forge.link("main", "a.yaml", 1) == ""


def test_a_plan_knows_its_commit_its_branch_and_the_files_that_differ(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        return subprocess.run(
            ["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout.strip()

    environ = {"PATH": "/usr/bin:/bin"}
    files = ["a.yaml", "data/b.csv", "data/new.csv"]
    assert made_from(tmp_path, environ, files).commit == ""
    git("init", "--quiet", "--initial-branch", "uplift")
    (tmp_path / "data").mkdir()
    (tmp_path / "a.yaml").write_text("a: 1\n")
    (tmp_path / "data/b.csv").write_bytes(b"x,y\n1,2\n")
    git("add", ".")
    git("commit", "--quiet", "--message", "a")
    (tmp_path / "data/new.csv").write_text("new")
    (tmp_path / "a.yaml").write_bytes(b"a: 1\r\n")
    found = made_from(tmp_path, environ, files)
    assert (found.commit, found.branch, found.differ) == (git("rev-parse", "HEAD"), "uplift", ("data/new.csv",))
    (tmp_path / "data/b.csv").write_bytes(b"x,y\n1,3\n")
    assert made_from(tmp_path, environ, files).differ == ("data/b.csv", "data/new.csv")
    git("checkout", "--quiet", "--detach")
    assert made_from(tmp_path, {**environ, "GITHUB_HEAD_REF": "fix"}, files).branch == "fix"


def known(payout: str | None, revenue: str | None) -> dict[str, Before]:
    amounts = {"payout": payout, "revenue": revenue}
    return {name: Before("ledger", amount, "x") for name, amount in amounts.items() if amount is not None}


def test_money_is_added_up_over_leads_whose_four_amounts_are_known() -> None:
    base = MoneyBase()
    for number, (payout, revenue, before) in enumerate(
        [
            (8000, 12000, known("70.00", "110.00")),
            (8000, None, known("70.00", "110.00")),
            (8000, None, known("70.00", None)),
            (None, 9000, known(None, None)),
        ]
    ):
        operation = Financials(
            lead(number), None if payout is None else Cents(payout), None if revenue is None else Cents(revenue)
        )
        base.add(planned(operation, before=before), operation)
    # Two operations of one lead, in two changes.
    for operation in (Financials(lead(9), Cents(100), None), Financials(lead(9), None, Cents(50))):
        base.add(planned(operation, before=known("2.00", "3.00")), operation)
    table = base.table()
    assert (table.leads, table.unknown) == (3, 2)
    assert [(row.name, row.before, row.after) for row in table.rows] == [
        ("payout", 14200, 16100),
        ("revenue", 22300, 23050),
        ("margin", 8100, 6950),
    ]
    assert table.rows[2].percent == "-14.2 %"
