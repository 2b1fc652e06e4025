"""Files that are not a healthy ledger, disks that are full, and what the file's bytes hold."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from syncengine.core.errors import LedgerTrouble, SyncError, WrongLedger
from syncengine.core.history import Standing
from syncengine.core.outcomes import Outcome, Ruling
from syncengine.core.ports import OutgoingRequest
from syncengine.core.values import LeadId
from syncengine.ledger.statements import statements
from tests.ledger.building import (
    ACCOUNT,
    APPLIED,
    Home,
    allow,
    answered,
    entry,
    financials,
    history_of,
    intend,
    run_once,
    settle,
    start,
    update,
)
from tests.small_disk import files_no_larger_than


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_are_private(file_home: Home) -> None:
    ledger = file_home.create()
    run_once(ledger, entry(update(1)), APPLIED)
    folder = file_home.file.parent
    assert {path.name: _mode(path) for path in folder.iterdir()} == {
        "ledger.db": 0o600,
        "ledger.db-shm": 0o600,
        "ledger.db-wal": 0o600,
        "ledger.db.acme.lease": 0o600,
        "ledger.key": 0o600,
    }


def test_a_key_is_whole_or_not_there(file_home: Home) -> None:
    key = file_home.root / ".syncengine" / "ledger.key"
    with (
        files_no_larger_than(40),
        pytest.raises(LedgerTrouble, match=r"ledger key .* cannot be written: File too large"),
    ):
        file_home.create()
    assert list(key.parent.iterdir()) == []
    file_home.create()
    assert len(bytes.fromhex(key.read_text())) == 32
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_an_existing_key_is_used_and_never_replaced(file_home: Home) -> None:
    key = Path(file_home.pin.key_path)
    key.parent.mkdir()
    key.write_text("ab" * 32)
    assert file_home.create().identity().key == "right"
    assert key.read_text() == "ab" * 32


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", LedgerTrouble, "is empty"),
        (b"hello, this is no database at all", LedgerTrouble, "is not an SQLite database"),
        (b"SQLite format 3\x00" + b"\xff" * 4096, LedgerTrouble, "not an SQLite database|damaged"),
    ],
)
def test_other_files_are_refused(file_home: Home, content: bytes, error: type[SyncError], message: str) -> None:
    file_home.file.parent.mkdir()
    file_home.file.write_bytes(content)
    for opening in (file_home.open, file_home.view):
        with pytest.raises(error, match=message):
            opening()
    assert file_home.file.read_bytes() == content


def test_another_programs_database_is_refused(file_home: Home) -> None:
    file_home.file.parent.mkdir()
    with sqlite3.connect(file_home.file) as connection:
        connection.execute("CREATE TABLE meta (name TEXT, value TEXT)")
    connection.close()
    for opening in (file_home.open, file_home.view):
        with pytest.raises(WrongLedger, match="another program"):
            opening()


def test_a_damaged_ledger_is_told_apart_from_a_healthy_one(file_home: Home) -> None:
    ledger = file_home.create()
    for lead in range(1, 40):
        run_once(ledger, entry(update(lead)), APPLIED)
    ledger.close()
    content = bytearray(file_home.file.read_bytes())
    content[4096 : len(content)] = b"\x5a" * (len(content) - 4096)
    file_home.file.write_bytes(content)
    with pytest.raises(LedgerTrouble):
        file_home.open().histories(ACCOUNT, [LeadId("1")])


def test_a_full_disk_loses_nothing_and_the_commit_can_be_repeated(file_home: Home) -> None:
    ledger = file_home.create()
    with ledger.lease(ACCOUNT, wait=0) as lease:
        run = ledger.begin(lease, start())
        request = intend(ledger, lease, run, entry(update(1)))
        pages = ledger.engine.read(lambda: ledger.engine.rows("last_position"))
        assert pages
        ledger.engine.execute("PRAGMA max_page_count = 1")
        answer = answered(request, Ruling(Outcome.APPLIED, "x" * 200_000))
        with pytest.raises(LedgerTrouble, match="the disk is full"):
            ledger.commit(lease, run, [OutgoingRequest((entry(update(2)),))], [answer], allow)
        assert history_of(ledger, 1).attempts[0].standing is Standing.IN_FLIGHT
        assert history_of(ledger, 2).attempts == ()
        ledger.engine.execute("PRAGMA max_page_count = 1000000")
        committed = ledger.commit(lease, run, [OutgoingRequest((entry(update(2)),))], [answer], allow)
        assert committed.requests[0] is not None
        settle(ledger, lease, run, answered(committed.requests[0], APPLIED))
    assert ledger.totals().applied == 2
    assert list(ledger.check()) == []


def test_a_read_only_ledger_can_be_read_and_not_written(file_home: Home) -> None:
    ledger = file_home.create()
    run_once(ledger, entry(update(1)), APPLIED)
    view = file_home.view()
    assert view is not None
    assert len(history_of(view, 1).attempts) == 1
    with pytest.raises(LedgerTrouble, match="read-only"), view.lease(ACCOUNT, wait=0):
        pytest.fail("a lease on a read-only ledger")


def test_a_ledger_in_a_folder_that_nobody_can_write_to_can_be_read(file_home: Home) -> None:
    ledger = file_home.create()
    run_once(ledger, entry(update(1)), APPLIED)
    ledger.close()
    folder = Path(tempfile.mkdtemp(prefix="syncengine-look-"))
    shutil.copy(file_home.file, folder / "ledger.db")
    for path, mode in ((folder / "ledger.db", 0o444), (folder, 0o555)):
        path.chmod(mode)
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from syncengine.ledger.sqlite import open_file\n"
        "from syncengine.ledger.statements import statements\n"
        "statements('sqlite')\n"
        "if os.geteuid() == 0:\n"
        "    os.setgid(65534); os.setuid(65534)\n"
        "engine = open_file(Path(sys.argv[1]), read_only=True)\n"
        "print(engine.read(lambda: engine.rows('stray_attempts'))[0][0])\n"
    )
    command = [sys.executable, "-c", program, str(folder / "ledger.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    folder.chmod(0o755)
    shutil.rmtree(folder)
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_no_lead_value_is_in_the_bytes_of_any_file(file_home: Home) -> None:
    ledger = file_home.create()
    secrets = ["TN25 6QD", "Josephine", "07700900123"]
    fields = {"postcode": secrets[0], "firstname": secrets[1], "phone1": secrets[2]}
    with ledger.lease(ACCOUNT, wait=0) as lease:
        run = ledger.begin(lease, start())
        for lead in range(1, 60):
            request = intend(ledger, lease, run, entry(update(lead, **fields)))
            ruling = Ruling(Outcome.REJECTED, f"{secrets[1].upper()} of {secrets[0]}: bad", (secrets[2],))
            settle(ledger, lease, run, answered(request, ruling, message=f"see {secrets[2]}"))
        files = list(file_home.file.parent.iterdir())
        assert file_home.file.with_name("ledger.db-wal") in files
        content = b"".join(path.read_bytes() for path in files).lower()
    assert not [secret for secret in secrets if secret.lower().encode() in content]


def test_digests_cannot_be_guessed_without_the_key(file_home: Home) -> None:
    ledger = file_home.create()
    run_once(ledger, entry(update(1, postcode="TN25 6QD")), APPLIED)
    (attempt,) = history_of(ledger, 1).attempts
    guesses = [f"TN25 6{a}{b}" for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    assert "TN25 6QD" in guesses
    texts = [text for guess in guesses for text in (guess, f'["1","postcode","{guess}"]', f"1postcode{guess}")]
    tried = {hashlib.new(name, text.encode()).hexdigest() for text in texts for name in ("sha256", "md5", "sha1")}
    tried |= {hashlib.blake2b(text.encode(), digest_size=16).hexdigest() for text in texts}
    tried |= {hashlib.blake2b(text.encode(), digest_size=16, person=b"syncengine-value").hexdigest() for text in texts}
    kept = {attempt.values["postcode"].removeprefix("#"), attempt.operation, attempt.operation[1:]}
    assert not tried & kept


def test_what_was_forgotten_is_gone_from_the_bytes(file_home: Home) -> None:
    plain = Home(file_home.root, file_home.pin.url, "plain")
    ledger = plain.create()
    for lead in range(1, 30):
        run_once(
            ledger, entry(update(lead, firstname=f"Josephine{lead:03}"), financials(lead, 990_000 + lead)), APPLIED
        )
    with ledger.lease(ACCOUNT, wait=0) as lease:
        ledger.forget(lease, LeadId("7"), by="dpo")
    content = b"".join(path.read_bytes() for path in plain.file.parent.iterdir())
    assert b"Josephine007" not in content
    assert b"9900.07" not in content
    assert b"Josephine008" in content
    assert list(ledger.check()) == []
    plain.close()


def test_tampering_is_located(file_home: Home) -> None:
    ledger = file_home.create()
    for lead in range(1, 6):
        run_once(ledger, entry(update(lead)), APPLIED)
    head = ledger.head()
    ledger.close()
    pristine = file_home.file.read_bytes()
    cases = {
        "UPDATE attempts SET lead = '99' WHERE lead = '3'": "request 3 ",
        "UPDATE attempts SET vals = replace(vals, '#', '=') WHERE lead = '2'": "request 2 ",
        "DELETE FROM attempts WHERE lead = '4'": "request 4 ",
        "UPDATE answers SET outcome = 'rejected' WHERE request = 5": "answer 5 ",
        "DELETE FROM answers WHERE request = 1": "answer 1 ",
        "UPDATE runs SET approvals = '[]' WHERE position = (SELECT min(position) FROM runs)": "run ",
        "UPDATE runs SET exit_code = 3 WHERE position = (SELECT max(position) FROM runs)": "end ",
        "UPDATE accounts SET host = 'elsewhere'": "host ",
        "DELETE FROM chain WHERE kind = 'answer' AND ref = '2'": "end ",
        "DELETE FROM chain WHERE position > 12": "end of account acme",
        "UPDATE chain SET hash = 'x' WHERE kind = 'request' AND ref = '2'": "request 2 ",
        "INSERT INTO answers SELECT 77, 'x', 200, 'now', 'applied', '', '', ''": "answer records",
        "UPDATE tallies SET applied = 9 WHERE run = ''": "counts of account acme",
        "INSERT INTO doubts VALUES (65536, 'acme', 'x')": "attempt 65536",
        "UPDATE lanes SET head = 'x' WHERE account = 'acme'": "end of account acme",
    }
    for statement, where in cases.items():
        file_home.file.write_bytes(pristine)
        with sqlite3.connect(file_home.file) as connection:
            connection.execute(statement)
        connection.close()
        view = file_home.view()
        assert view is not None
        findings = list(view.check())
        view.close()
        assert findings, statement
        assert findings[0].where.startswith(where), (statement, findings)
    file_home.file.write_bytes(pristine)
    view = file_home.view()
    assert view is not None
    assert list(view.check(head=head)) == []


def test_look_ups_of_findings_do_not_read_all_attempts_of_an_account(file_home: Home) -> None:
    known = statements("sqlite")
    with contextlib.closing(file_home.create()) as ledger, contextlib.closing(sqlite3.connect(file_home.file)) as raw:
        assert ledger.identity().position
        for name, uses in (
            ("get_last_amounts", "attempts_by_kind (account=? AND kind=? AND delivery=?)"),
            ("has_delivery", "attempts_by_kind (account=? AND kind=? AND delivery=?)"),
            # From the newest row back until there are enough.
            ("get_last_values", "SCAN attempts"),
        ):
            statement = known[name]
            values = ["1"] * len(statement.parameters)
            plan = str(raw.execute(f"EXPLAIN QUERY PLAN {statement.sql}", values).fetchall())
            assert uses in plan, name
            assert "TEMP B-TREE" not in plan, name
