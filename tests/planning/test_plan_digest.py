"""The plan digest: what it covers, what it does not, and that it is the documented sum over the file's own bytes."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from syncengine.core.changes import ChangeFacts, NameUse, Origin
from syncengine.core.errors import AlteredPlan, InputError
from syncengine.core.finding import Evidence, Finding
from syncengine.core.operations import Update
from syncengine.core.plan import (
    AuthorCommit,
    Before,
    Blocker,
    ChangesetHeader,
    Counts,
    PlanHeader,
    PlanLine,
    PlannedOperation,
    PlanSummary,
    Provenance,
    Selection,
    State,
)
from syncengine.core.values import ChangesetId, LeadId, OperationId
from syncengine.planning import PlanWriter, open_plan
from tests.small_disk import files_no_larger_than

HEADER = PlanHeader(format=2, account="acme", identity="acme", host="loopback", policy_digest="p", wire_digest="w")
PROVENANCE = Provenance(created="2026-11-23T14:02:11Z", tool="syncengine 1", ledger_id="l", ledger_position=7)
OPERATION = PlannedOperation(
    id=OperationId("1" + "a" * 39),
    changeset=ChangesetId("repair"),
    change="#1",
    entry=1,
    operation=Update(LeadId("11"), {"postcode": "TN25 6QD"}),
    origin=Origin("a.yaml", 7),
    state=State.TO_SEND,
    send=("postcode",),
)
ENDING: dict[str, Any] = {
    "counts": Counts(total=2, to_send=2, leads=1, update=2),
    "blocked": (),
    "warnings": ("look",),
    "notes": ("late",),
    "changesets": (ChangesetHeader(id=ChangesetId("repair"), title="t", file="a.yaml", vars={}, sources={}),),
}


def write(
    path: Path | None,
    *,
    header: PlanHeader = HEADER,
    provenance: Provenance = PROVENANCE,
    operations: tuple[PlannedOperation, ...] = (OPERATION, OPERATION),
    **ending: Any,
) -> PlanSummary:
    with PlanWriter(path, header, provenance) as writer:
        for operation in operations:
            writer.write(operation)
        return writer.finish(**(ENDING | ending))


def test_it_is_a_sum_over_the_files_own_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.plan"
    summary = write(path)
    raw = path.read_bytes()
    first, *operations, last = raw.splitlines(keepends=True)
    header = first.partition(b'"header":')[2].partition(b',"provenance":')[0]
    covered = last.partition(b'"covered":')[2].partition(b',"beside":')[0]
    digest = hashlib.sha256(header + b"\n" + b"".join(operations) + covered + b"\n").hexdigest()
    assert summary.digest == digest
    footer = json.loads(last)
    assert footer["digest"] == digest
    assert footer["checksum"] == hashlib.sha256(raw[: -len('"}\n') - 64]).hexdigest()
    assert write(None).digest == digest  # without a file too


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "a.plan"
    summary = write(path, blocked=(Blocker(reason="no"),))
    assert path.stat().st_mode & 0o777 == 0o600
    with open_plan(path) as saved:
        assert (saved.header, saved.provenance, saved.summary) == (HEADER, PROVENANCE, summary)
        assert list(saved.operations()) == [OPERATION, OPERATION]
        assert list(saved.operations()) == [OPERATION, OPERATION]  # as often as it is asked for
    assert (summary.notes, summary.blocked) == (("late",), (Blocker(reason="no"),))


def test_an_empty_plan_is_a_plan(tmp_path: Path) -> None:
    write(tmp_path / "a.plan", operations=(), counts=Counts())
    with open_plan(tmp_path / "a.plan") as saved:
        assert list(saved.operations()) == []


FINDING = Finding(rule="rows-taken", severity="info", message="took 2 of 3 rows", count=1)
OTHER: dict[str, Any] = {"format": 3, "partial": True, "selection": Selection(limit=3), "ledger_position": 8}
COMMIT = AuthorCommit(commit="1" * 40, file="a.yaml", role="author")
BESIDE = {"changeset.authors", "changeset.commits", "changeset.line"}

COVERED: dict[str, dict[str, Any]] = {
    **{
        f"header.{name}": {"header": msgspec.structs.replace(HEADER, **{name: OTHER.get(name, "other")})}
        for name in HEADER.__struct_fields__
    },
    **{
        f"operation.{name}": {"operations": (msgspec.structs.replace(OPERATION, **{name: value}), OPERATION)}
        for name, value in {
            "id": OperationId("1" + "b" * 39),
            "changeset": ChangesetId("other"),
            "change": "#2",
            "entry": 2,
            "operation": Update(LeadId("11"), {"postcode": "TN25 7QD"}),
            "origin": Origin("a.yaml", 8),
            "state": State.HELD,
            "reason": "because",
            "send": (),
            "before": {"postcode": Before("ledger", "x")},
            "facts": 1,
            "done": ("run",),
            "names": (NameUse("buyer", "a", "1"),),
            "beside_doubt": True,
        }.items()
    },
    "their order": {
        "operations": (OPERATION, msgspec.structs.replace(OPERATION, entry=2)),
    },
    "their number": {"operations": (OPERATION,)},
    "counts": {"counts": Counts(total=2, to_send=1, held=1)},
    "blocked": {"blocked": (Blocker(reason="no"),)},
    "changes": {"changes": (ChangeFacts(changeset=ChangesetId("one"), change="#1", rows=3, taken=2),)},
    "covered findings": {"covered_findings": (FINDING,)},
    **{
        f"changeset.{name}": {"changesets": (msgspec.structs.replace(ENDING["changesets"][0], **{name: value}),)}
        for name, value in {
            "id": ChangesetId("other"),
            "title": "u",
            "description": "why",
            "file": "b.yaml",
            "vars": {"a": "b"},
            "sources": {"a": "b"},
        }.items()
    },
}


@pytest.mark.parametrize("what", COVERED)
def test_it_covers(what: str) -> None:
    assert write(None, **COVERED[what]).digest != write(None).digest


def test_every_part_of_an_operation_and_of_a_changeset_is_tried() -> None:
    tried = {name for name in COVERED if "." in name}
    parts = {"header": HEADER, "operation": OPERATION, "changeset": ENDING["changesets"][0]}
    assert tried == {f"{kind}.{name}" for kind, part in parts.items() for name in part.__struct_fields__} - BESIDE


def test_the_order_of_operations_counts() -> None:
    other = msgspec.structs.replace(OPERATION, entry=2)
    assert write(None, operations=(OPERATION, other)).digest != write(None, operations=(other, OPERATION)).digest


@pytest.mark.parametrize("what", list(PROVENANCE.__struct_fields__))
def test_it_does_not_cover(what: str) -> None:
    other = msgspec.structs.replace(PROVENANCE, **{what: OTHER.get(what, "other")})
    assert write(None, provenance=other).digest == write(None).digest


@pytest.mark.parametrize(
    "beside",
    [
        {"warnings": ("other",)},
        {"recorded_findings": (FINDING,)},
        {"parts": {"policy": "p"}},
        {"changesets": (msgspec.structs.replace(ENDING["changesets"][0], authors=("a@example.com",)),)},
        {"changesets": (msgspec.structs.replace(ENDING["changesets"][0], commits={"a@example.com": COMMIT}),)},
    ],
    ids=lambda beside: next(iter(beside)),
)
def test_it_does_not_cover_what_depends_on_commits_runs_and_other_files(beside: dict[str, Any]) -> None:
    assert write(None, **beside).digest == write(None).digest


def test_lines_count_from_the_start_of_their_own_document(tmp_path: Path) -> None:
    written = []
    for begins in (1, 30):
        header = msgspec.structs.replace(ENDING["changesets"][0], line=begins)
        origin = Origin("a.yaml", begins + 6)
        evidence = Evidence(lead="11", file=header.file, line=begins + 6)
        finding = msgspec.structs.replace(FINDING, changeset=header.id, evidence=(evidence,))
        path = tmp_path / f"{begins}.plan"
        with PlanWriter(path, HEADER, PROVENANCE) as writer:
            writer.begin(header.id, begins)
            for operation in (OPERATION, OPERATION):
                writer.write(msgspec.structs.replace(operation, origin=origin))
            ending = ENDING | {"changesets": (header,), "covered_findings": (finding,)}
            written.append(writer.finish(**ending))
        with open_plan(path) as saved:
            assert {operation.origin.line for operation in saved.operations()} == {begins + 6}
            assert saved.summary == written[-1]
    assert written[0].digest == written[1].digest


def test_notes_are_not_covered_but_checked(tmp_path: Path) -> None:
    path = tmp_path / "a.plan"
    assert write(path, notes=("other",)).digest == write(None).digest
    path.write_bytes(path.read_bytes().replace(b'"notes":["other"]', b'"notes":["OTHER"]'))
    assert refusal(path) == "the checksum is wrong: the file was altered or cut"


def refusal(path: Path) -> str:
    """Why the plan is refused when it is opened."""
    with pytest.raises(AlteredPlan) as caught:
        open_plan(path)
    assert caught.value.hint == "make the plan again with 'syncengine plan'; its approvals do not carry over"
    said, _, why = caught.value.message.partition(": ")
    assert said == str(path)
    return why


def resum(raw: bytes) -> bytes:
    """The bytes with a checksum that is right, as somebody who tampers would write it."""
    body = raw[: -len('"}\n') - 64]
    return body + hashlib.sha256(body).hexdigest().encode() + b'"}\n'


DIGEST = "the digest is wrong: the content is not what was planned"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b'"lead":"11"', b'"lead":"12"', DIGEST),
        (b'"host":"loopback"', b'"host":"loopbacc"', DIGEST),
        (b'"title":"', b'"title":"x', DIGEST),
        (b'"digest":"', b'"digest":"0', DIGEST),
        (b'"syncengine_plan":2', b'"syncengine_plam":2', "not a plan file"),
        (b'"syncengine_plan":2', b'"syncengine_plan":', "not a plan file"),
        (b'"counts"', b'"founts"', "not a whole plan: the footer cannot be read"),
    ],
)
def test_a_right_checksum_does_not_save_an_altered_plan(tmp_path: Path, old: bytes, new: bytes, words: str) -> None:
    path = tmp_path / "a.plan"
    write(path)
    raw = path.read_bytes()
    assert old in raw
    path.write_bytes(resum(raw.replace(old, new)))
    assert refusal(path) == words


def test_a_line_without_end_is_no_plan(tmp_path: Path) -> None:
    path = tmp_path / "a.plan"
    with path.open("wb") as file:
        file.truncate((64 << 20) + 1)
    assert refusal(path) == "not a plan: a line is too long"


def test_a_number_of_operations_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.plan"
    write(path, counts=Counts(total=3))
    assert refusal(path) == "the number of operations is not the one in the footer"


@pytest.mark.parametrize(
    ("altered", "why"),
    [
        ({"id": OperationId("1" + "A" * 39)}, "an operation's id has another form"),
        ({"changeset": ChangesetId("other")}, "an operation's changeset is not among the plan's"),
        ({"send": ("postcode", "email")}, "an update sends fields that it does not hold"),
    ],
)
def test_what_planning_could_not_have_made_is_found_when_it_is_read(
    tmp_path: Path, altered: dict[str, Any], why: str
) -> None:
    path = tmp_path / "a.plan"
    write(path, operations=(OPERATION, msgspec.structs.replace(OPERATION, **altered)))
    with open_plan(path) as saved, pytest.raises(AlteredPlan) as caught:
        list(saved.operations())
    assert caught.value.message == f"{path}: {why}"


def test_what_sending_takes_is_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "a.plan"
    write(path)
    with open_plan(path) as saved:
        names = PlanLine.__struct_fields__
        expected = [PlanLine(**{name: getattr(each, name) for name in names}) for each in saved.operations()]
        assert list(saved.lines()) == expected
        assert len(expected) == 2


def test_a_line_that_is_no_operation_is_found_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.plan"
    write(path, operations=(OPERATION, msgspec.structs.replace(OPERATION, entry="x")))  # type: ignore[arg-type]
    with open_plan(path) as saved, pytest.raises(AlteredPlan, match=r": an operation cannot be read$"):
        list(saved.operations())


def test_a_file_changed_in_place_while_in_use_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.plan"
    write(path)
    with open_plan(path) as saved:
        raw = path.read_bytes()
        with path.open("r+b") as file:
            file.write(raw.replace(b'"lead":"11"', b'"lead":"12"'))
        with pytest.raises(AlteredPlan, match=r": the file was changed while it was in use$"):
            list(saved.operations())


def test_plans_larger_than_a_block_are_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "a.plan"
    many = tuple(
        msgspec.structs.replace(
            OPERATION, entry=number, operation=Update(LeadId("11"), {"postcode": "x" * (number % 700)})
        )
        for number in range(1, 6001)
    )
    long = msgspec.structs.replace(OPERATION, operation=Update(LeadId("11"), {"postcode": "y" * 3_000_000}))
    everything = (*many, long, *many)
    write(path, operations=everything, counts=Counts(total=len(everything)))
    with open_plan(path) as saved:
        assert tuple(saved.operations()) == everything


@pytest.mark.parametrize("length", [100, 1 << 20, 3_000_000])
def test_a_footer_of_any_length_is_found(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.plan"
    summary = write(path, warnings=("w" * length,))
    with open_plan(path) as saved:
        assert saved.summary == summary
        assert list(saved.operations()) == [OPERATION, OPERATION]
    path.write_bytes(path.read_bytes().replace(b"www", b"wxw", 1))
    with pytest.raises(AlteredPlan, match="checksum is wrong"):
        open_plan(path)


def test_every_place_around_the_border_of_a_block_is_read(tmp_path: Path) -> None:
    """Lines that end right before, at and right after the border between two blocks of the reader."""
    path = tmp_path / "a.plan"
    write(path)
    header = path.read_bytes().index(b"\n") + 1
    line = len(path.read_bytes().splitlines(keepends=True)[1])
    for ends in range((1 << 20) - 2, (1 << 20) + 3):
        filled = "x" * (ends - header - line + len("TN25 6QD"))
        long = msgspec.structs.replace(OPERATION, operation=Update(LeadId("11"), {"postcode": filled}))
        # What follows is another operation, or the footer.
        for operations in ((long, OPERATION), (long,)):
            write(path, operations=operations, counts=Counts(total=len(operations)))
            assert path.read_bytes().index(b"\n", header) + 1 == ends
            with open_plan(path) as saved:
                assert list(saved.operations()) == list(operations)


@pytest.mark.parametrize("beyond", [0, 1, 66, 67, 68, 200])
def test_a_footer_that_reaches_into_another_block_is_read(tmp_path: Path, beyond: int) -> None:
    """The checksum's own characters, 67 with what closes them, may begin before the border, at it or after it."""
    path = tmp_path / "a.plan"
    write(path, operations=(OPERATION,), counts=Counts(total=1))
    filled = "x" * ((1 << 20) + beyond - path.stat().st_size + len("TN25 6QD"))
    long = msgspec.structs.replace(OPERATION, operation=Update(LeadId("11"), {"postcode": filled}))
    write(path, operations=(long,), counts=Counts(total=1))
    assert path.stat().st_size == (1 << 20) + beyond
    with open_plan(path) as saved:
        assert list(saved.operations()) == [long]


@pytest.mark.parametrize("cut", [1, 3, 70, 200, 10_000])
def test_a_cut_plan_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.plan"
    write(path)
    raw = path.read_bytes()
    path.write_bytes(raw[: max(0, len(raw) - cut)])
    assert refusal(path) == "not a whole plan: the footer is missing"


def test_a_writer_that_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.plan"
    with PlanWriter(path, HEADER, PROVENANCE) as writer:
        writer.write(OPERATION)
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


def test_only_plans_and_empty_files_are_replaced(tmp_path: Path) -> None:
    for name, content in {"old.plan": "damaged", "empty": "", "plan": '{"syncengine_plan":2}\n'}.items():
        (tmp_path / name).write_text(content)
        write(tmp_path / name)
        with open_plan(tmp_path / name) as saved:
            assert saved.summary.counts.total == 2
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "folder.plan").mkdir()
    for name, why, hint in (
        (
            "notes.txt",
            "{} is there already, and it is no plan: it stays as it is",
            "choose another --out, such as release.plan",
        ),
        ("folder.plan", "cannot write the plan {}: it is no ordinary file", "choose another --out"),
        ("/proc/self/mem", "cannot replace {}: Input/output error", "choose another --out"),  # its start holds nothing
        ("nowhere/a.plan", "cannot write the plan {}: No such file or directory", "choose another --out"),
    ):
        with pytest.raises(InputError) as caught:
            write(tmp_path / name)
        error = caught.value
        assert (error.message, error.hint, error.code) == (why.format(tmp_path / name), hint, "SE902")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_what_stands_in_the_way_of_the_partial_file_is_not_written_into(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    (tmp_path / f".a.plan.{os.getpid()}.partial").symlink_to(other)
    with pytest.raises(InputError) as caught:
        write(tmp_path / "a.plan")
    assert caught.value.message == f"cannot write the plan {tmp_path / 'a.plan'}: File exists"
    assert other.read_text() == "mine"
    assert not (tmp_path / "a.plan").exists()


@pytest.mark.parametrize("operations", [1, 5000], ids=["at the end", "on the way"])
def test_a_disk_that_fills_up_leaves_the_old_plan_and_nothing_else(tmp_path: Path, operations: int) -> None:
    path = tmp_path / "a.plan"
    write(path)
    before = path.read_bytes()
    with files_no_larger_than(1000), pytest.raises(InputError) as caught:
        write(path, operations=(OPERATION,) * operations, counts=Counts(total=operations))
    error = caught.value
    assert (error.message, error.hint, error.code) == (
        f"cannot write the plan {path}: File too large", "free space, then plan again", "SE902",
    )  # fmt: skip
    assert [each.name for each in tmp_path.iterdir()] == ["a.plan"]
    assert path.read_bytes() == before


def test_what_is_no_file_is_no_plan(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    for path, why in (
        (tmp_path, f"{tmp_path} is not a file"),
        (nowhere, f"cannot read the plan {nowhere}: No such file or directory"),
    ):
        with pytest.raises(InputError) as caught:
            open_plan(path)
        error = caught.value
        assert (error.message, error.hint, error.code) == (
            why,
            "name a file that 'syncengine plan --out' wrote",
            "SE902",
        )


@pytest.mark.parametrize(
    ("written", "shown"),
    [(b"1", "1"), (b'"2"', '"2"'), (b'"' + b"9" * 40 + b'"', '"' + "9" * 19), (b'"\xff"', '"\ufffd"')],
)
def test_a_plan_of_another_format_is_refused_with_what_to_do(tmp_path: Path, written: bytes, shown: str) -> None:
    path = tmp_path / "a.plan"
    write(path)
    path.write_bytes(resum(path.read_bytes().replace(b'"syncengine_plan":2', b'"syncengine_plan":' + written)))
    with pytest.raises(AlteredPlan) as caught:
        open_plan(path)
    assert caught.value.code == "SE611"
    assert f"a plan of format {shown}, made by another version" in caught.value.message
    assert (caught.value.hint or "").startswith("plan again")
