"""Who may approve, and what a signature is worth: each case with real keys, through plan and apply."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
import pytest

from syncengine.core.errors import InputError, NotApproved, StalePlan
from syncengine.planning import open_plan
from syncengine.planning.approvals import Keygen, add_approval, approval_path, signed_text

from .repository import AUTHOR, Repository, git, public

POLICY = """\
approvals: {required: 1, when: plan.irreversible > 0, allowed_signers: .syncengine/allowed_signers}
"""


def sign(repository: Repository, plan: Path, key: Path, *, namespace: str = "syncengine-plan") -> str:
    with open_plan(plan) as saved:
        message = signed_text(saved.summary.digest)
    done = subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-n", namespace, "-f", key], input=message, capture_output=True, check=True
    )
    return done.stdout.decode()


def approved(repository: Repository, plan: Path, *keys: Path) -> None:
    for key in keys:
        assert add_approval(approval_path(plan), sign(repository, plan, key))


@pytest.fixture
def ready(repository: Repository) -> Repository:
    """A committed changeset with one trigger, and anna who may approve it."""
    repository.write(POLICY)
    repository.signers(f"anna@example.com {public(repository.key('anna'))}")
    repository.commit()
    return repository


def refusal(repository: Repository, plan: Path, **more: object) -> NotApproved:
    with pytest.raises(NotApproved) as caught:
        repository.apply(plan, **more)
    assert repository.effects == 0
    assert caught.value.exit == 3
    assert caught.value.hint
    return caught.value


def codes(error: NotApproved) -> list[str]:
    return [problem.code for problem in error.problems]


def test_without_an_approval_nothing_is_sent(ready: Repository) -> None:
    error = refusal(ready, ready.plan())
    assert "needs 1 approval and has none" in error.message
    assert "syncengine.yaml" in error.message


@pytest.mark.parametrize(("kind", "bits"), [("ed25519", None), ("rsa", 3072), ("ecdsa", 256), ("ecdsa", 521)])
def test_a_listed_key_approves_and_is_recorded(repository: Repository, kind: str, bits: int | None) -> None:
    key = repository.key("anna", kind=kind, bits=bits)
    repository.write(POLICY)
    repository.signers(f"anna@example.com {public(key)}")
    repository.commit()
    plan = repository.plan()
    approved(repository, plan, key)
    assert repository.apply(plan).exit == 0
    assert repository.effects == 2
    fingerprint = subprocess.run(
        ["ssh-keygen", "-lf", f"{key}.pub"], capture_output=True, text=True, check=True
    ).stdout.split()[1]
    with repository.project.view() as ledger:
        assert ledger is not None
        records = [msgspec.json.decode(line) for line in ledger.export()]
    assert f"anna@example.com {fingerprint}" in msgspec.json.encode(records).decode()


@pytest.mark.parametrize(("kind", "bits", "words"), [("dsa", None, "'ssh-dss'"), ("rsa", 1024, "RSA key of 1024 bits")])
def test_a_key_of_the_wrong_type_does_not_count(repository: Repository, kind: str, bits: int, words: str) -> None:
    try:
        key = repository.key("anna", kind=kind, bits=bits)
    except subprocess.CalledProcessError:
        pytest.skip(f"this ssh-keygen makes no such {kind} keys")
    repository.write(POLICY)
    repository.signers(f"anna@example.com {public(key)}")
    repository.commit()
    plan = repository.plan()
    approved(repository, plan, key)
    error = refusal(repository, plan)
    assert codes(error) == ["SE643"]
    assert words in error.message


def test_the_condition_decides_whether_approval_is_needed(ready: Repository) -> None:
    ready.changeset('- lead: "2932682"\n  update: {c1: checked}\n')
    assert ready.apply(ready.plan()).exit == 0
    assert ready.effects == 1


def test_a_condition_that_fails_blocks_the_plan(ready: Repository) -> None:
    ready.write("approvals: {required: 1, when: plan.changesets > 1, allowed_signers: .syncengine/allowed_signers}\n")
    with open_plan(ready.plan()) as saved:
        reasons = [finding.reason for finding in saved.summary.blocked]
    assert len(reasons) == 1
    assert "approvals: the condition failed, with this error: " in reasons[0]


def test_an_approval_of_another_plan_is_worth_nothing(ready: Repository) -> None:
    first = ready.plan()
    approved(ready, first, ready.keys / "anna")
    ready.changeset('- lead: "2932682"\n  trigger: ["1054"]\n')
    ready.commit()
    error = refusal(ready, ready.plan())
    assert codes(error) == ["SE648"]
    assert "another plan" in error.message


def test_a_signature_for_something_else_does_not_count(ready: Repository) -> None:
    plan = ready.plan()
    add_approval(approval_path(plan), sign(ready, plan, ready.keys / "anna", namespace="git"))
    error = refusal(ready, plan)
    assert codes(error) == ["SE642"]
    assert "'git'" in error.message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("yes, do it\n", "no SSH signature"),
        ("", "empty"),
        ("-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n", "block 1 is no SSH signature"),
        ("-----BEGIN PGP SIGNATURE-----\nAAAA\n-----END PGP SIGNATURE-----\n", "no SSH signature"),
    ],
)
@pytest.mark.parametrize("named", [False, True])
def test_what_is_no_signature_does_not_count(ready: Repository, content: str, words: str, named: bool) -> None:
    plan = ready.plan()
    file = ready.folder / "given.sig" if named else approval_path(plan)
    file.write_text(content)
    error = refusal(ready, plan, approvals=[file] if named else [])
    assert set(codes(error)) == {"SE641"}
    assert words in error.message


def test_an_approval_file_that_cannot_be_read_does_not_count(ready: Repository) -> None:
    plan = ready.plan()
    approval_path(plan).mkdir()
    assert codes(refusal(ready, plan)) == ["SE641"]


def test_a_cut_signature_does_not_count(ready: Repository) -> None:
    plan = ready.plan()
    text = sign(ready, plan, ready.keys / "anna")
    lines = text.splitlines()
    approval_path(plan).write_text("\n".join([*lines[:3], *lines[4:]]) + "\n")
    assert codes(refusal(ready, plan)) in (["SE641"], ["SE648"])


def test_a_named_file_that_is_missing_is_wrong_usage(ready: Repository) -> None:
    with pytest.raises(InputError, match="no approval file"):
        ready.apply(ready.plan(), approvals=[ready.folder / "nowhere.sig"])


def test_approvals_are_read_from_named_files_too(ready: Repository) -> None:
    plan = ready.plan()
    (ready.folder / "anna.sig").write_text(sign(ready, plan, ready.keys / "anna"))
    assert ready.apply(plan, approvals=[ready.folder / "anna.sig"]).exit == 0


def test_a_key_that_is_not_listed_does_not_count(ready: Repository) -> None:
    plan = ready.plan()
    approved(ready, plan, ready.key("mallory"))
    error = refusal(ready, plan)
    assert codes(error) == ["SE644"]
    assert "is not in" in error.message


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ('valid-before="20200101"', "SE646", "expired"),
        ('valid-after="29990101"', "SE646", "not yet valid"),
        ('namespaces="git"', "SE642", "namespace"),
        ('namespaces="git,file",valid-before="29990101"', "SE642", "namespace"),
    ],
)
def test_a_signer_whose_line_forbids_it_does_not_count(
    repository: Repository, options: str, code: str, words: str
) -> None:
    repository.write(POLICY)
    repository.signers(f"anna@example.com {options} {public(repository.key('anna'))}")
    repository.commit()
    plan = repository.plan()
    approved(repository, plan, repository.keys / "anna")
    error = refusal(repository, plan)
    assert codes(error) == [code]
    assert words in error.message


@pytest.mark.parametrize(
    "line",
    [
        'anna@example.com valid-after="20200101",valid-before="29990101" {key} a comment',
        '"anna@example.com,ann@example.com" namespaces="git,syncengine-plan" {key}',
        "# a comment\n\nanna@example.com   {key}",
        'bob@example.com namespaces="git" {key}\nanna@example.com {key}',
        "* {key}\nanna@example.com {key}",
    ],
)
def test_lines_that_allow_it(repository: Repository, line: str) -> None:
    repository.write(POLICY)
    repository.signers(line.format(key=public(repository.key("anna"))))
    repository.commit()
    plan = repository.plan()
    approved(repository, plan, repository.keys / "anna")
    assert repository.apply(plan).exit == 0


@pytest.mark.parametrize("principal", ["*", "*@example.com", "anna?@example.com", "!bob@example.com,anna@example.com"])
def test_a_wildcard_principal_is_refused(repository: Repository, principal: str) -> None:
    repository.write(POLICY)
    repository.signers(f"{principal} {public(repository.key('anna'))}")
    repository.commit()
    plan = repository.plan()
    approved(repository, plan, repository.keys / "anna")
    error = refusal(repository, plan)
    assert codes(error) == ["SE645"]
    assert "no one in particular" in error.message


def certified(repository: Repository, names: str) -> Path:
    """A key with a certificate for these names; the authority's key is called "authority"."""
    key, authority = repository.key("anna"), repository.key("authority")
    subprocess.run(
        ["ssh-keygen", "-q", "-s", authority, "-I", "id", "-n", names, f"{key}.pub"], check=True, capture_output=True
    )
    return key.with_name("anna-cert.pub")


@pytest.mark.parametrize(
    ("names", "line", "counts"),
    [
        ("anna@example.com", "anna@example.com cert-authority {key}", True),
        ("anna@example.com", "*@example.com cert-authority {key}", False),
        ("anna@example.com", "bob@example.com cert-authority {key}", False),
        ("anna@example.com", "anna@example.com {key}", False),
    ],
)
def test_certificates_count_for_the_names_listed_with_their_authority(
    repository: Repository, names: str, line: str, counts: bool
) -> None:
    certificate = certified(repository, names)
    repository.write(POLICY)
    repository.signers(line.format(key=public(repository.keys / "authority")))
    repository.commit()
    plan = repository.plan()
    approved(repository, plan, certificate)
    if counts:
        assert repository.apply(plan).exit == 0
    else:
        refusal(repository, plan)


TWO = "approvals: {required: 2, allowed_signers: .syncengine/allowed_signers}\n"


@pytest.fixture
def pair(repository: Repository) -> Repository:
    repository.write(TWO)
    anna, bob, second = (public(repository.key(name)) for name in ("anna", "bob", "anna-work"))
    repository.signers(f"anna@example.com {anna}", f"bob@example.com {bob}", f"Anna@example.com {second}")
    repository.commit()
    return repository


def test_two_people_are_two(pair: Repository) -> None:
    plan = pair.plan()
    approved(pair, plan, pair.keys / "anna", pair.keys / "bob")
    assert pair.apply(plan).exit == 0


def test_two_keys_of_one_person_are_one(pair: Repository) -> None:
    plan = pair.plan()
    approved(pair, plan, pair.keys / "anna", pair.keys / "anna-work")
    assert "needs 2 approvals and has 1 (by anna@example.com)" in refusal(pair, plan).message


def test_one_signature_twice_is_one(pair: Repository) -> None:
    plan = pair.plan()
    text = sign(pair, plan, pair.keys / "anna")
    approval_path(plan).write_text(text + text)
    (pair.folder / "again.sig").write_text("\n" + text.replace("\n", "\r\n"))
    assert "has 1" in refusal(pair, plan, approvals=[pair.folder / "again.sig"]).message


def test_two_names_of_one_key_are_one(repository: Repository) -> None:
    key = public(repository.key("anna"))
    repository.write(TWO)
    repository.signers(f"anna@example.com {key}", f"bob@example.com {key}")
    repository.commit()
    plan = repository.plan()
    approved(repository, plan, repository.keys / "anna")
    assert "has 1" in refusal(repository, plan).message


def test_names_shared_by_way_of_a_third_key_are_one_person(repository: Repository) -> None:
    first, second, third = (public(repository.key(name)) for name in ("a", "b", "c"))
    repository.write(TWO)
    repository.signers(f"x@example.com {first}", f"y@example.com {second}", f"x@example.com,y@example.com {third}")
    repository.commit()
    plan = repository.plan()
    approved(repository, plan, *(repository.keys / name for name in "abc"))
    assert "has 1" in refusal(repository, plan).message


def test_an_author_does_not_count(repository: Repository) -> None:
    repository.write(POLICY)
    repository.signers(f"{AUTHOR.upper()} {public(repository.key('author'))}")
    repository.commit()
    plan = repository.plan()
    approved(repository, plan, repository.keys / "author")
    error = refusal(repository, plan)
    assert codes(error) == ["SE647"]
    assert f"{AUTHOR} wrote a changeset" in error.message


def test_any_name_of_a_key_may_be_the_authors(repository: Repository) -> None:
    repository.write(POLICY)
    repository.signers(f"other@example.com,{AUTHOR} {public(repository.key('author'))}")
    repository.commit()
    plan = repository.plan()
    approved(repository, plan, repository.keys / "author")
    assert codes(refusal(repository, plan)) == ["SE647"]


def test_authors_count_where_the_policy_says_so(repository: Repository) -> None:
    repository.write(POLICY.replace("}", ", author_may_approve: true}"))
    repository.signers(f"{AUTHOR} {public(repository.key('author'))}")
    plan = repository.plan()
    approved(repository, plan, repository.keys / "author")
    assert repository.apply(plan).exit == 0


def test_who_wrote_it_after_planning_is_left_out_too(ready: Repository) -> None:
    plan = ready.plan()
    approved(ready, plan, ready.keys / "anna")
    path = ready.folder / "release-one.yaml"
    path.write_text(path.read_text() + "# looked at\n")
    ready.commit(email="anna@example.com")
    assert codes(refusal(ready, plan)) == ["SE647"]


def test_who_wrote_it_before_planning_is_left_out_even_where_history_was_rewritten(ready: Repository) -> None:
    ready.changeset('- lead: "2932682"\n  trigger: ["1055"]\n')
    ready.commit(email="anna@example.com")
    plan = ready.plan()
    with open_plan(plan) as saved:
        assert saved.summary.changesets[0].authors == ("anna@example.com", AUTHOR)
    git(ready.folder, "checkout", "-q", "--orphan", "clean")
    ready.commit(email="mallory@example.com")
    approved(ready, plan, ready.keys / "anna")
    assert codes(refusal(ready, plan)) == ["SE647"]


def test_an_uncommitted_changeset_cannot_be_approved(ready: Repository) -> None:
    ready.changeset('- lead: "2932682"\n  trigger: ["1056"]\n')
    plan = ready.plan()
    approved(ready, plan, ready.keys / "anna")
    error = refusal(ready, plan)
    assert "git cannot tell who wrote changeset release-one" in error.message
    assert "not committed" in error.message


def test_an_untracked_changeset_and_no_repository_at_all(repository: Repository) -> None:
    repository.write(POLICY)
    repository.signers(f"anna@example.com {public(repository.key('anna'))}")
    plan = repository.plan()
    approved(repository, plan, repository.keys / "anna")
    assert "is in no git repository" in refusal(repository, plan).message
    git(repository.folder, "init", "-q")
    assert "is not committed" in refusal(repository, plan).message
    repository.commit()
    assert repository.apply(plan).exit == 0


def test_a_shallow_clone_cannot_tell(ready: Repository, tmp_path: Path) -> None:
    ready.changeset('- lead: "2932682"\n  trigger: ["1057"]\n')
    ready.commit(email="second@example.com")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{ready.folder}", "shallow")
    shallow = Repository(folder=tmp_path / "shallow", sandbox=ready.sandbox, keys=ready.keys)
    (shallow.folder / "sandbox.key").write_text(ready.sandbox.api_key)
    plan = shallow.plan()
    approved(shallow, plan, ready.keys / "anna")
    error = refusal(shallow, plan)
    assert "the clone is shallow" in error.message
    assert "--unshallow" in error.hint


def test_without_git_apply_refuses(ready: Repository) -> None:
    plan = ready.plan()
    approved(ready, plan, ready.keys / "anna")
    ready.environ = {"PATH": str(ready.keys)}
    assert "git is not on the PATH" in refusal(ready, plan).message


def test_without_ssh_keygen_the_message_says_what_to_install(ready: Repository) -> None:
    with pytest.raises(InputError, match="ssh-keygen is not on the PATH") as caught:
        Keygen({"PATH": str(ready.keys)})
    assert "openssh" in caught.value.hint


def test_the_signers_are_part_of_the_policy(ready: Repository) -> None:
    plan = ready.plan()
    mallory = ready.key("mallory")
    ready.signers(f"anna@example.com {public(ready.keys / 'anna')}", f"mallory@example.com {public(mallory)}")
    approved(ready, plan, mallory)
    with pytest.raises(Exception, match="policy changed") as caught:
        ready.apply(plan)
    assert caught.value.exit == 3  # type: ignore[attr-defined]
    assert ready.effects == 0


def test_an_approved_plan_that_another_run_overtook_is_stale(ready: Repository) -> None:
    ready.changeset('- lead: "7"\n  update: {c1: first}\n', name="release-zero")
    assert ready.apply(ready.plan("release-zero.yaml", out="zero.plan")).exit == 0
    plan = ready.plan()
    approved(ready, plan, ready.keys / "anna")
    ready.changeset('- lead: "2932682"\n  update: {c1: other}\n', name="release-two")
    assert ready.apply(ready.plan("release-two.yaml", out="other.plan")).exit == 0
    with pytest.raises(StalePlan) as caught:
        ready.apply(plan)
    assert "c1 was touched by run" in caught.value.message
    assert "release-two" in caught.value.message
    assert ready.effects == 2


def test_an_approved_plan_altered_in_any_byte_is_refused(ready: Repository) -> None:
    plan = ready.plan()
    approved(ready, plan, ready.keys / "anna")
    whole = plan.read_bytes()
    for place in range(0, len(whole), 97):
        plan.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(Exception, match=r".") as caught:
            ready.apply(plan)
        assert caught.value.exit == 3  # type: ignore[attr-defined]
    assert ready.effects == 0
    plan.write_bytes(whole)
    assert ready.apply(plan).exit == 0
