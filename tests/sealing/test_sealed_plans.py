"""Sealed plans: who can read them, what anybody can, and that they are applied as plain ones are."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

import pyrage
import pytest

from tests.workspace import Workspace

from .conftest import Keys, SshKeys

CHANGES = """
- id: repair
  lead: "2932682"
  update: {postcode: TN25 6QD, lastname: Featherstonehaugh}
  trigger: [northwind]
- lead: "2932683"
  financials: {payout: 41.50, buyer: northwind}
"""
PERSONAL = ("TN25 6QD", "Featherstonehaugh", "postcode", "2932682", "2932683")
"""Values, names of fields and leads: none of it stands in a sealed file."""


@pytest.fixture
def declared(workspace: Workspace) -> Workspace:
    workspace.changeset("repair", CHANGES, head="vars: {secretvar: hushhush}\n")
    return workspace


def seal(workspace: Workspace, *recipients: str, out: str = "sealed.plan", more: tuple[str, ...] = ()) -> Any:
    options = [option for recipient in recipients for option in ("--recipient", recipient)]
    return workspace.plan("--values", "sealed", *options, *more, out=out)


def test_a_sealed_plan_is_the_plain_one_and_holds_no_value(declared: Workspace, ann: Keys) -> None:
    plain = declared.plan()
    sealed = seal(declared, ann.public)
    for view in (plain, sealed):
        del view["created"]
    assert sealed == plain  # digest, counts, lines and warnings: the view is made from the sealed file
    path = declared.root / "sealed.plan"
    raw = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not [text for text in (*PERSONAL, "hushhush") if text.encode() in raw]
    assert all(text.encode() in (declared.root / "release.plan").read_bytes() for text in (*PERSONAL, "hushhush"))


def test_it_is_still_json_lines_with_a_header_a_footer_and_a_checksum(declared: Workspace, ann: Keys) -> None:
    digest = seal(declared, ann.public)["plan"]
    raw = (declared.root / "sealed.plan").read_bytes()
    first, *body, last = [json.loads(line) for line in raw.splitlines()]
    assert first["sealed"] == {"format": "age", "recipients": [ann.public]}
    assert last["checksum"] == hashlib.sha256(raw[: -len('"}\n') - 64]).hexdigest()
    assert last["digest"] == digest
    # Each line is an ordinary age file: its own program could open it.
    plain = [pyrage.decrypt(base64.b64decode(line["sealed"]), [identity_of(ann)]) for line in body]
    operations = [json.loads(line) for line in b"".join(plain).splitlines()]
    assert [operation["operation"]["lead"] for operation in operations] == ["2932682", "2932682", "2932683"]


def identity_of(keys: Keys) -> Any:
    return pyrage.x25519.Identity.from_str(keys.private)


@pytest.mark.parametrize("way", ["option", "variable with the key", "variable with a path", "variable with a file"])
def test_show_and_apply_open_it(declared: Workspace, ann: Keys, robot: Keys, way: str) -> None:
    options, env = {
        "option": (["--identity", str(ann.file)], {}),
        "variable with the key": ([], {"SYNCENGINE_IDENTITY": ann.private}),
        "variable with a path": ([], {"SYNCENGINE_IDENTITY": str(ann.file)}),
        "variable with a file": ([], {"SYNCENGINE_IDENTITY": ann.file.read_text()}),
    }[way]
    seal(declared, robot.public, ann.public)
    shown = declared.run("show", "sealed.plan", "--show-values", *options, **env)
    assert shown.code == 0, shown.err
    assert "TN25 6QD" in shown.out
    assert shown.err == ""
    applied = declared.run("apply", "sealed.plan", "--format", "json", *options, **env)
    assert applied.code == 0, applied.err
    assert applied.json["counts"]["applied"] == 3
    assert declared.times("update", "2932682") == 1
    assert declared.times("trigger", "2932682", delivery="1053") == 1


def test_an_identity_in_a_plain_plans_environment_is_not_even_read(declared: Workspace, tmp_path: Path) -> None:
    declared.plan()
    assert declared.run("show", "release.plan", "--identity", str(tmp_path / "nowhere")).code == 0


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_ssh_keys_do_as_well(declared: Workspace, tmp_path: Path, kind: str) -> None:
    keys = SshKeys(tmp_path, kind)
    seal(declared, keys.public)
    assert b"ann@example.com" not in (declared.root / "sealed.plan").read_bytes()
    shown = declared.run("show", "sealed.plan", "--show-values", "--identity", str(keys.file))
    assert "TN25 6QD" in shown.out, shown.err


def test_recipients_from_files(declared: Workspace, ann: Keys, robot: Keys, tmp_path: Path) -> None:
    ssh = SshKeys(tmp_path, "ed25519")
    team = tmp_path / "recipients"
    team.write_text(f"# the team\n{ann.public}\n\n  {robot.public}\n{ssh.public}\n")
    seal(declared, str(team))
    for file in (ann.file, robot.file, ssh.file):
        shown = declared.run("show", "sealed.plan", "--show-values", "--identity", str(file))
        assert "TN25 6QD" in shown.out, shown.err


@pytest.mark.parametrize("mark", ["\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_key_in_a_comment_of_a_recipients_file_opens_nothing(
    declared: Workspace, ann: Keys, robot: Keys, mark: str
) -> None:
    declared.write("recipients", f"# left the company:{mark}{robot.public}\n{ann.public}\n")
    seal(declared, "recipients")
    header = json.loads((declared.root / "sealed.plan").read_text(encoding="utf-8").split("\n")[0])
    assert header["sealed"]["recipients"] == [ann.public]
    shown = declared.run("show", "sealed.plan", "--show-values", "--identity", str(robot.file))
    assert "TN25 6QD" not in shown.out


@pytest.mark.parametrize("form", ["\ufeff{ann}\n{robot}\n", "{ann}\r\n{robot}\r\n", "# team\r\n\r\n \t{ann}\n{robot}"])
def test_recipients_files_of_other_editors(declared: Workspace, ann: Keys, robot: Keys, form: str) -> None:
    (declared.root / "team").write_bytes(form.format(ann=ann.public, robot=robot.public).encode())
    seal(declared, "team")
    header = json.loads((declared.root / "sealed.plan").read_text(encoding="utf-8").split("\n")[0])
    assert header["sealed"]["recipients"] == [ann.public, robot.public]


@pytest.mark.parametrize("mark", ["\u200b", "\u00a0", "\ufeff"])
def test_recipient_with_an_invisible_character_is_refused_with_its_code_point(
    declared: Workspace, ann: Keys, mark: str
) -> None:
    declared.write("team", f"# team\n{mark}{ann.public}\n")
    ended = declared.run("plan", "changesets", "--out", "p", "--values", "sealed", "--recipient", "team")
    assert ended.code == 1
    told = " ".join(ended.err.split())
    assert "team, line 2: this is no public key" in told
    assert f"it holds the invisible character U+{ord(mark):04X}" in told


@pytest.mark.parametrize("form", ["\ufeff{key}\n", "# mine\r\n{key}\r\n"])
def test_identity_files_of_other_editors(declared: Workspace, ann: Keys, form: str) -> None:
    seal(declared, ann.public)
    (declared.root / "mine").write_bytes(form.format(key=ann.private.strip()).encode())
    (declared.root / "mine").chmod(0o600)
    shown = declared.run("show", "sealed.plan", "--show-values", "--identity", "mine")
    assert "TN25 6QD" in shown.out, shown.err


def test_without_an_identity_show_tells_the_outside_and_apply_sends_nothing(
    declared: Workspace, ann: Keys, robot: Keys
) -> None:
    view = seal(declared, ann.public)
    for options in ([], ["--identity", str(robot.file)]):
        shown = declared.run("show", "sealed.plan", "--format", "json", *options)
        assert shown.code == 0
        outside = shown.json
        for key in ("plan", "account", "changesets", "leads", "operations", "by_kind", "money", "created"):
            assert outside[key] == view[key]
        assert any(text.startswith("sealed: operations, findings and warnings are") for text in outside["warnings"])
        assert ann.public in shown.err
        for verb in ("apply", "approve"):
            key = ["--key", "nowhere"] if verb == "approve" else []
            refused = declared.run(verb, "sealed.plan", *key, *options, "--format", "json")
            assert (refused.code, refused.json["error"]["code"]) == (1, "SE908")
            assert "--identity" in refused.json["error"]["hint"] or "--recipient" in refused.json["error"]["hint"]
    for format_ in ("text", "markdown", "html"):
        assert view["plan"] in declared.run("show", "sealed.plan", "--format", format_).out
    assert declared.requests == []


def test_a_blocked_sealed_plan_says_so_to_everybody(declared: Workspace, ann: Keys) -> None:
    declared.write(
        "syncengine.yaml", (declared.root / "syncengine.yaml").read_text() + "policy: {denied_fields: [postcode]}\n"
    )
    assert seal(declared, ann.public)["blocked"]
    shown = declared.run("show", "sealed.plan", "--format", "json").json
    assert shown["blocked"] == [{"operation": None, "lead": None, "kind": None, "reason": "1 findings, sealed"}]
    opened = declared.run("show", "sealed.plan", "--format", "json", "--identity", str(ann.file)).json
    assert opened["blocked"][0]["lead"] == "2932682"
    assert declared.run("apply", "sealed.plan", "--identity", str(ann.file)).code == 3


def test_approvals_verify_explain_and_revert_read_it_too(workspace: Workspace, ann: Keys, tmp_path: Path) -> None:
    signer = SshKeys(tmp_path, "ed25519")
    workspace.write(".syncengine/allowed_signers", f"boss@example.com {signer.public}\n")
    text = (
        (workspace.root / "syncengine.yaml")
        .read_text()
        .replace("    deliveries", "    reads: {leads: true}\n    deliveries")
    )
    policy = (
        "policy: {approvals: {required: 1, allowed_signers: .syncengine/allowed_signers, author_may_approve: true}}\n"
    )
    workspace.write("syncengine.yaml", text.replace("timeout: 5", "timeout: 5, settle: 0") + policy)
    workspace.changeset("repair", '- {lead: "2932682", update: {c1: Bing}}\n')
    observed = workspace.write("observed.csv", "lead,c1,observed_at\n2932682,Google,2026-01-01T00:00:00Z\n")
    digest = seal(workspace, ann.public, more=("--offline", "--observed", str(observed)))["plan"]
    key = ["--identity", str(ann.file)]
    assert workspace.run("approve", "sealed.plan", "--key", str(signer.file), *key).code == 0
    assert workspace.run("apply", "sealed.plan", *key).code == 0
    verified = workspace.run("verify", "sealed.plan", "--format", "json", *key)
    assert verified.code == 0, verified.err
    operation = json.loads(workspace.run("history", "--format", "json").out)["operation"]
    told = workspace.run("explain", operation, "--show-values", *key)
    assert "Google" in told.out
    assert digest[:12] in told.out
    sealed = workspace.run("explain", operation)
    assert "sealed" in sealed.out
    assert workspace.run("revert", "sealed.plan", "--out", "back.yaml", *key).code == 0
    assert "Google" in (workspace.root / "back.yaml").read_text()
    assert workspace.run("revert", "sealed.plan", "--out", "back2.yaml").code == 1


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--recipient", "age1abc"], "SE901", "--values sealed"),
        (["--values", "sealed"], "SE907", "--recipient"),
        (["--values", "sealed", "--recipient", "age1abc"], "SE907", "no public key"),
        (["--values", "sealed", "--recipient", "ssh-ed25519 AAAA"], "SE907", "no public key"),
        (["--values", "sealed", "--recipient", "nowhere.txt"], "SE907", "nowhere.txt"),
        (["--values", "sealed", "--recipient", "empty.txt"], "SE907", "recipient"),
        (["--values", "sealed", "--recipient", "ecdsa.pub"], "SE907", "ecdsa.pub, line 2"),
        (["--values", "sealed", "--recipient", "binary"], "SE907", "no text"),
        (["--values", "sealed", "--recipient", "AGE-SECRET-KEY-1QQ"], "SE907", "private key"),
    ],
)
def test_recipients_that_cannot_be(declared: Workspace, options: list[str], code: str, words: str) -> None:
    declared.write("empty.txt", "# nobody\n")
    declared.write("ecdsa.pub", "\necdsa-sha2-nistp256 AAAAE2VjZHNh ann\n")
    (declared.root / "binary").write_bytes(b"\xff\xfe\x00")
    ended = declared.run("plan", "changesets", "--out", "sealed.plan", "--format", "json", *options)
    error = ended.json["error"]
    assert (ended.code, error["code"]) == (1, code)
    assert words in error["message"] + error["hint"]
    assert "SECRET" not in ended.out + ended.err
    assert not (declared.root / "sealed.plan").exists()


def test_a_sealed_plan_is_a_file(declared: Workspace, ann: Keys) -> None:
    ended = declared.run("plan", "changesets", "--values", "sealed", "--recipient", ann.public)
    assert ended.code == 1
    assert "--out" in ended.err


def test_identities_that_cannot_be(declared: Workspace, ann: Keys, tmp_path: Path) -> None:
    seal(declared, ann.public)
    locked = SshKeys(tmp_path, "ed25519", passphrase="open sesame")
    declared.write("rubbish", f"{ann.private[:-4]}QQQQ\n")
    declared.write("empty", "# nothing\n")
    os.mkfifo(declared.root / "pipe")
    cases = {
        str(locked.file): "passphrase",
        "rubbish": "no identity",
        "empty": "no identity",
        "nowhere": "No such file",
        "pipe": "not an ordinary file",
        str(ann.public): "No such file",
    }
    for identity, words in cases.items():
        ended = declared.run("apply", "sealed.plan", "--identity", identity, "--format", "json")
        assert (ended.code, ended.json["error"]["code"]) == (1, "SE907"), identity
        assert words in ended.json["error"]["message"]
        assert ann.private[:-4] not in ended.out + ended.err
    broken = declared.run("apply", "sealed.plan", SYNCENGINE_IDENTITY=f"{ann.private[:-4]}QQQQ")
    assert broken.code == 1
    assert "SYNCENGINE_IDENTITY" in broken.err
    assert ann.private[:-4] not in broken.err


def test_an_identity_open_to_others_is_warned_about(declared: Workspace, ann: Keys) -> None:
    seal(declared, ann.public)
    ann.file.chmod(0o644)
    shown = declared.run("show", "sealed.plan", "--identity", str(ann.file))
    assert shown.code == 0
    assert f"chmod 600 {ann.file}" in shown.err


def rewrite(path: Path, change: Any) -> None:
    """Change the lines of a plan and give it a checksum that is right, as somebody who tampers would."""
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    change(lines)
    del lines[-1]["checksum"]
    raw = b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)
    raw = raw[: -len("}\n")] + b',"checksum":"'
    path.write_bytes(raw + hashlib.sha256(raw).hexdigest().encode() + b'"}\n')


def flip(text: str) -> str:
    data = bytearray(base64.b64decode(text))
    data[-1] ^= 1
    return base64.b64encode(bytes(data)).decode()


def _alter_body(lines: list[Any]) -> None:
    lines[1]["sealed"] = flip(lines[1]["sealed"])


def _alter_footer(lines: list[Any]) -> None:
    lines[-1]["sealed"] = flip(lines[-1]["sealed"])


def _no_base64(lines: list[Any]) -> None:
    lines[1]["sealed"] = "%%%"


def _plain_line(lines: list[Any]) -> None:
    lines[1] = {"id": "1"}


def _drop_the_body(lines: list[Any]) -> None:
    del lines[1]


def _repeat_the_body(lines: list[Any]) -> None:
    lines.insert(1, lines[1])


def _other_counts(lines: list[Any]) -> None:
    lines[-1]["counts"]["to_send"] += 1


def _other_changesets(lines: list[Any]) -> None:
    lines[-1]["changesets"] = ["innocent"]


def _no_findings(lines: list[Any]) -> None:
    lines[-1]["findings"] = 7


def _other_digest(lines: list[Any]) -> None:
    lines[-1]["digest"] = "0" * 64


def _other_account(lines: list[Any]) -> None:
    lines[0]["header"]["host"] = "evil.example"


def _other_seal(lines: list[Any]) -> None:
    lines[0]["sealed"]["format"] = "rot" + "13" * 20


ALTERED = "what is sealed was altered"
OUTSIDE = "what is outside the seal differs from what is inside"
DIGEST = "the digest is wrong: the content is not what was planned"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_alter_body, ALTERED),
        (_alter_footer, ALTERED),
        (_no_base64, ALTERED),
        (_plain_line, "a sealed line cannot be read"),
        (_drop_the_body, DIGEST),
        (_repeat_the_body, DIGEST),
        (_other_counts, OUTSIDE),
        (_other_changesets, OUTSIDE),
        (_no_findings, OUTSIDE),
        (_other_digest, DIGEST),
        (_other_account, DIGEST),
        (_other_seal, "sealed as 'rot13131313131313131', which this version cannot open"),
    ],
)
def test_a_tampered_sealed_plan_is_refused_although_its_checksum_is_right(
    declared: Workspace, ann: Keys, change: Any, why: str
) -> None:
    seal(declared, ann.public)
    rewrite(declared.root / "sealed.plan", change)
    for verb in ("show", "apply"):
        ended = declared.run(verb, "sealed.plan", "--identity", str(ann.file), "--format", "json")
        error = ended.json["error"]
        assert (ended.code, error["code"], error["message"]) == (3, "SE610", f"sealed.plan: {why}")
    assert declared.requests == []


@pytest.mark.parametrize(("whose", "why"), [("ann", DIGEST), ("robot", ALTERED)])
def test_lines_of_another_plan_do_not_fit(declared: Workspace, ann: Keys, robot: Keys, whose: str, why: str) -> None:
    seal(declared, ann.public)
    declared.changeset("repair", CHANGES.replace("TN25 6QD", "TN25 7QD"))
    seal(declared, (ann if whose == "ann" else robot).public, out="other.plan")
    other = [json.loads(line) for line in (declared.root / "other.plan").read_bytes().splitlines()]

    def graft(lines: list[Any]) -> None:
        lines[1] = other[1]

    rewrite(declared.root / "sealed.plan", graft)
    for verb in ("show", "apply"):
        ended = declared.run(verb, "sealed.plan", "--identity", str(ann.file), "--format", "json")
        assert (ended.code, ended.json["error"]["message"]) == (3, f"sealed.plan: {why}")


def test_a_plain_byte_changed_or_cut_is_refused_without_any_identity(declared: Workspace, ann: Keys) -> None:
    seal(declared, ann.public)
    path = declared.root / "sealed.plan"
    raw = path.read_bytes()
    for altered in (raw[:-1], raw[:-100], raw[: len(raw) // 2], raw.replace(b'"to_send":3', b'"to_send":1')):
        path.write_bytes(altered)
        assert declared.run("show", "sealed.plan").code == 3


def test_resolve_baseline_opens_it(declared: Workspace, ann: Keys) -> None:
    seal(declared, ann.public)
    words = ["--by", "ann", "--note", "done by hand"]
    assert declared.run("resolve", "--baseline", "sealed.plan", *words).code == 1
    done = declared.run("resolve", "--baseline", "sealed.plan", "--identity", str(ann.file), *words)
    assert done.code == 0, done.err


def test_a_large_plan_is_sealed_in_many_lines_of_bounded_length(workspace: Workspace, ann: Keys) -> None:
    rows = "".join(f"{2000000 + number},{'v' * 200}{number}\n" for number in range(12_000))
    workspace.write("data/rows.csv", f"lead,value\n{rows}")
    workspace.changeset(
        "many",
        '- {for_each: rows, lead: "{{ row.lead }}", update: {c1: "{{ row.value }}"}}',
        head="sources: {rows: {file: ../data/rows.csv}}\n",
    )
    digest = workspace.plan()["plan"]
    view = seal(workspace, ann.public)
    assert view["plan"] == digest
    path = workspace.root / "sealed.plan"
    lines = path.read_bytes().splitlines()
    assert len(lines) > 10
    assert max(map(len, lines[1:-1])) < 600_000
    shown = workspace.run("show", "sealed.plan", "--identity", str(ann.file))
    assert shown.code == 0
