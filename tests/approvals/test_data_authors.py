"""Who wrote a changeset's data is one of its authors: through plan, signature and apply, in real repositories."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from tests.cli.console import Ended, run

from .repository import AUTHOR, Repository, git, public

POLICY = "approvals: {required: 1, allowed_signers: .syncengine/allowed_signers}\n"
FROM_FILE = """\
- for_each: rows
  lead: "{{ row.lead }}"
  update: {c1: "{{ row.c1 }}"}
"""
ROWS = "lead,c1\n2932682,checked\n"
PEOPLE = ("anna", "bob", "carla")


def person(name: str) -> str:
    return f"{name}@example.com"


@pytest.fixture
def team(repository: Repository) -> Repository:
    """anna, bob and carla may approve. Data that bob committed precedes a changeset by `author`."""
    repository.write(POLICY, changes="[]")
    (repository.folder / "release-one.yaml").unlink()
    repository.signers(*(f"{person(name)} {public(repository.key(name))}" for name in PEOPLE))
    data(repository, ROWS)
    repository.commit(email=person("anna"))
    data(repository, ROWS + "2932683,checked\n")
    repository.commit(email=person("bob"))
    changeset(repository, "rows.csv")
    repository.commit()
    return repository


def data(repository: Repository, text: str, name: str = "rows.csv") -> None:
    (repository.folder / name).parent.mkdir(exist_ok=True)
    (repository.folder / name).write_text(text)


def changeset(repository: Repository, file: str) -> None:
    path = repository.changeset(FROM_FILE)
    path.write_text(path.read_text().replace("changes:\n", f"sources: {{rows: {{file: {file}}}}}\nchanges:\n"))


def call(repository: Repository, *arguments: str) -> Ended:
    return run(*arguments, cwd=repository.folder)


def planned(repository: Repository) -> str:
    """The digest of a new plan, saved as release.plan."""
    ended = call(repository, "plan", "release-one.yaml", "--out", "release.plan", "--format", "json")
    assert ended.code == 0, ended.err
    return str(ended.json["plan"])


def sign(repository: Repository, name: str) -> Ended:
    return call(repository, "approve", "release.plan", "--key", f"../keys/{name}", "--format", "json")


def refused(ended: Ended, *words: str) -> None:
    assert (ended.code, ended.json["error"]["code"]) == (3, "SE647"), ended.err
    assert all(word in ended.json["error"]["message"] for word in words), ended.json


def head(repository: Repository) -> str:
    return git(repository.folder, "rev-parse", "HEAD").strip()


def test_person_who_last_changed_the_data_before_the_changeset_cannot_approve(team: Repository) -> None:
    planned(team)
    wrote = git(team.folder, "rev-parse", "HEAD^").strip()
    refused(sign(team, "bob"), "bob@example.com wrote data of this plan: rows.csv, as author of commit " + wrote)
    assert sign(team, "anna").code == 0
    assert call(team, "apply", "release.plan").code == 0
    assert team.effects == 2


def test_person_who_changed_the_data_later_cannot_approve(team: Repository) -> None:
    data(team, ROWS)
    team.commit(email=person("carla"))
    planned(team)
    refused(sign(team, "carla"), head(team))
    refused(sign(team, "bob"))
    assert sign(team, "anna").code == 0


def test_changed_data_voids_the_approval(team: Repository) -> None:
    first = planned(team)
    assert sign(team, "anna").code == 0
    data(team, ROWS)
    team.commit(email=person("carla"))
    assert planned(team) != first
    ended = call(team, "apply", "release.plan", "--format", "json")
    assert (ended.code, ended.json["error"]["code"]) == (3, "SE640")
    assert [each["code"] for each in ended.json["diagnostics"]] == ["SE648"]
    assert team.effects == 0


def test_author_is_left_out_by_the_commit_that_git_names_at_apply(team: Repository) -> None:
    planned(team)
    assert sign(team, "anna").code == 0
    data(team, ROWS)
    team.commit(email=person("anna"))
    data(team, ROWS + "2932683,checked\n")
    team.commit(email=person("carla"))
    by_anna = git(team.folder, "rev-parse", "HEAD^").strip()
    shown = call(team, "show", "release.plan", "--format", "json").json["approvals"]
    reason = f"anna@example.com wrote data of this plan: rows.csv, as author of commit {by_anna}"
    assert shown["given"] == []
    assert [(out["principal"], reason in out["reason"]) for out in shown["left_out"]] == [("anna@example.com", True)]
    for format_ in ("text", "markdown", "html"):
        assert by_anna in "".join(call(team, "show", "release.plan", "--format", format_).out.split()), format_
    assert call(team, "apply", "release.plan").code == 3


def test_renamed_data_keeps_its_authors(team: Repository) -> None:
    (team.folder / "data").mkdir()
    git(team.folder, "mv", "rows.csv", "data/calls.csv")
    changeset(team, "data/calls.csv")
    team.commit()
    planned(team)
    refused(sign(team, "bob"), "data/calls.csv")
    assert sign(team, "anna").code == 0


def test_link_to_the_data_has_authors_too(team: Repository) -> None:
    data(team, ROWS, "other/march.csv")
    (team.folder / "current").symlink_to("other")
    team.commit(email=person("carla"))
    changeset(team, "current/march.csv")
    data(team, ROWS, "other/march.csv")
    team.commit()
    (team.folder / "elsewhere").mkdir()
    (team.folder / "elsewhere" / "march.csv").write_text(ROWS)
    (team.folder / "current").unlink()
    (team.folder / "current").symlink_to("elsewhere")
    team.commit(email=person("bob"))
    planned(team)
    refused(sign(team, "bob"))


def test_git_lfs_pointer_is_compared_by_its_digest(team: Repository) -> None:
    pointer = (
        "version https://git-lfs.github.com/spec/v1\n"
        f"oid sha256:{hashlib.sha256(ROWS.encode()).hexdigest()}\nsize {len(ROWS)}\n"
    )
    data(team, pointer)
    team.commit(email=person("carla"))
    data(team, ROWS)  # as the filter of Git LFS checks it out
    planned(team)
    refused(sign(team, "carla"), head(team))
    assert sign(team, "anna").code == 0
    assert call(team, "apply", "release.plan").code == 0
    data(team, ROWS + "2932684,other\n")
    planned(team)
    assert "rows.csv has changes that are not committed" in call(team, "apply", "release.plan").err


@pytest.mark.parametrize("lines", [10, 700_000])
def test_data_is_compared_whatever_its_size_and_line_endings(team: Repository, lines: int) -> None:
    text = ROWS + "".join(f"{number},{'x' * 88}\n" for number in range(1, lines))
    data(team, text)
    team.commit(email=person("carla"))
    (team.folder / "rows.csv").write_bytes(text.replace("\n", "\r\n").encode())
    found = authors(team)
    assert set(found) == {AUTHOR, person("bob"), person("carla")}
    (team.folder / "rows.csv").write_bytes(text.replace("\n", "\r\n").encode()[:-3] + b"y\r\n")
    assert set(authors(team)) == {AUTHOR}


def authors(repository: Repository) -> dict[str, object]:
    from syncengine.planning.authors import Authors

    return dict(Authors(repository.folder, repository.project.environ).known("release-one.yaml", ["rows.csv"]))


@pytest.mark.parametrize("what", ["ignored", "changed", "missing"])
def test_data_that_git_does_not_know_is_refused(team: Repository, what: str) -> None:
    if what == "ignored":
        git(team.folder, "rm", "-q", "--cached", "rows.csv")
        with (team.folder / ".gitignore").open("a") as file:
            file.write("rows.csv\n")
        team.commit()
    if what == "changed":
        data(team, ROWS + "1,x\n")
    planned(team)
    assert sign(team, "anna").code == 0
    if what == "missing":
        (team.folder / "rows.csv").unlink()
    ended = call(team, "apply", "release.plan", "--format", "json")
    words = {"ignored": "is not committed", "changed": "has changes that are not committed", "missing": "is not here"}
    assert (ended.code, ended.json["error"]["code"]) == (3, "SE639")
    assert f"rows.csv {words[what]}" in ended.json["error"]["message"]
    assert ended.json["error"]["hint"]


def test_data_of_a_submodule_is_refused(team: Repository, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "rows.csv").write_text(ROWS)
    git(other, "init", "-q")
    git(other, "add", "-A")
    git(other, "commit", "-q", "-m", "x", email=person("bob"))
    git(team.folder, "submodule", "--quiet", "add", str(other), "vendor")
    changeset(team, "vendor/rows.csv")
    team.commit()
    planned(team)
    assert sign(team, "anna").code == 0
    ended = call(team, "apply", "release.plan", "--format", "json")
    assert (ended.code, ended.json["error"]["code"]) == (3, "SE639")
    assert "vendor/rows.csv is in another git repository than release-one.yaml" in ended.json["error"]["message"]
    assert "one repository" in ended.json["error"]["hint"]


def test_shallow_clone_is_refused_with_what_to_set(team: Repository, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth", "1", team.folder.as_uri(), str(clone))
    (clone / "sandbox.key").write_bytes((team.folder / "sandbox.key").read_bytes())
    planned(team)
    assert sign(team, "anna").code == 0
    for name in ("release.plan", "release.plan.approval"):
        (clone / name).write_bytes((team.folder / name).read_bytes())
    ended = run("apply", "release.plan", "--format", "json", cwd=clone)
    assert (ended.code, ended.json["error"]["code"]) == (3, "SE639")
    assert "fetch-depth: 0" in ended.json["error"]["hint"]
    assert "GIT_DEPTH: 0" in ended.json["error"]["hint"]


def test_squash_names_those_of_the_branch_by_its_trailers(team: Repository) -> None:
    git(team.folder, "checkout", "-q", "-b", "proposal")
    data(team, ROWS)
    team.commit(email=person("carla"))
    before = planned(team)
    refused(sign(team, "carla"))
    git(team.folder, "checkout", "-q", "-")
    git(team.folder, "merge", "-q", "--squash", "proposal")
    message = "Change the rows\n\nCo-authored-by: Carla <carla@example.com>\n"
    git(team.folder, "commit", "-q", "-m", message, email="noreply@github.com")
    assert planned(team) == before
    refused(sign(team, "carla"), "as co-author of commit " + head(team))
    assert sign(team, "anna").code == 0


def test_authors_that_only_the_plan_records_are_left_out(team: Repository) -> None:
    git(team.folder, "checkout", "-q", "-b", "proposal")
    data(team, ROWS)
    team.commit(email=person("carla"))
    recorded = head(team)
    planned(team)
    git(team.folder, "checkout", "-q", "-")
    git(team.folder, "merge", "-q", "--squash", "proposal")
    git(team.folder, "commit", "-q", "-m", "Change the rows", email="noreply@github.com")
    refused(sign(team, "carla"), recorded)


def test_a_partial_clone_is_refused_where_objects_are_missing(team: Repository, tmp_path: Path) -> None:
    git(team.folder, "mv", "rows.csv", "calls.csv")
    data(team, ROWS + "2932683,checked\n2932684,new\n", "calls.csv")
    changeset(team, "calls.csv")
    team.commit()
    git(team.folder, "config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--filter=blob:none", team.folder.as_uri(), str(clone))
    (clone / "sandbox.key").write_bytes((team.folder / "sandbox.key").read_bytes())
    planned(team)
    assert sign(team, "anna").code == 0
    for name in ("release.plan", "release.plan.approval"):
        (clone / name).write_bytes((team.folder / name).read_bytes())
    ended = run("apply", "release.plan", "--format", "json", cwd=clone)
    assert (ended.code, ended.json["error"]["code"]) == (3, "SE639")
    assert "without --filter" in ended.json["error"]["hint"]


def test_signature_by_hand_of_an_author_is_left_out(team: Repository) -> None:
    digest = planned(team)
    done = subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-n", "syncengine-plan", "-f", team.keys / "bob"],
        input=f"{digest}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    data(team, done.stdout, f"approvals/{digest}.approval")
    ended = call(team, "apply", "release.plan", "--format", "json")
    assert [each["code"] for each in ended.json["diagnostics"]] == ["SE647"]
    assert f"approvals/{digest}.approval" in ended.json["error"]["message"]
    assert team.effects == 0
