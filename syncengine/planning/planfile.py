"""The saved plan: JSON Lines, one header, one line per operation, one footer. The only reader and writer of the format.

Two checksums protect it. The digest covers what a reviewer approves; the checksum covers every byte before it. See
docs/plan-file.md for what is covered and what is not.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Self, TypeVar

import msgspec

from syncengine.core.changes import ChangeFacts
from syncengine.core.digests import PlanHasher
from syncengine.core.errors import AlteredPlan, InputError
from syncengine.core.finding import Finding
from syncengine.core.plan import (
    AuthorCommit,
    Blocker,
    ChangesetHeader,
    Counts,
    PlanHeader,
    PlanLine,
    PlannedOperation,
    PlanSummary,
    Provenance,
)
from syncengine.core.values import ChangesetId, PlanDigest
from syncengine.documents.files import open_ordinary
from syncengine.planning.planfile_validation import odd_among
from syncengine.planning.sealed_plans import (
    SEAL_FORMAT,
    Cover,
    Damaged,
    Identities,
    Seal,
    SealedLine,
    SealedLines,
    SealedPlan,
    SealedTo,
)

FORMAT = 2
_BLOCK = 1 << 18
"""Bytes per read. With larger blocks the decoded lines no longer fit the processor's cache, and reading slows down."""

_WRITTEN_AT_ONCE = 256
"""Operations encoded and hashed together; single ones take twice the time."""

_CHECKSUM_MARK = b',"checksum":"'
_LONGEST_FOOTER = 64 << 20
LONGEST_FIRST = 1 << 20
_TAIL = 64 + len('"}\n')

ENCODER = msgspec.json.Encoder()

T = TypeVar("T")
P = TypeVar("P")


class PlanFirstLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    syncengine_plan: int
    header: PlanHeader
    provenance: Provenance
    sealed: SealedTo | None = None


class _Covered(msgspec.Struct, frozen=True, kw_only=True):
    """The part of the footer that the digest covers."""

    counts: Counts
    blocked: tuple[Blocker, ...]
    changesets: tuple[ChangesetHeader, ...]
    changes: tuple[ChangeFacts, ...]
    findings: tuple[Finding, ...]


class _Beside(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The part of the footer that the digest does not cover: facts of the clock, of other files or of other runs."""

    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    parts: dict[str, str] = {}
    authors: dict[str, tuple[str, ...]] = {}
    commits: dict[str, dict[str, AuthorCommit]] = {}
    """By changeset and e-mail address, a commit of each author."""
    lines: dict[str, int] = {}
    """Where the documents of changesets begin in their files. The plan's lines count from there."""


class _Ending(msgspec.Struct, frozen=True, kw_only=True):
    covered: _Covered
    beside: _Beside


class Footer(_Ending, frozen=True, kw_only=True):
    digest: str
    checksum: str


class _SealedFooter(msgspec.Struct, frozen=True, kw_only=True):
    """`sealed` holds an _Ending; its publicly readable fields are stored unencrypted here."""

    digest: str
    counts: Counts
    findings: int
    changesets: tuple[ChangesetId, ...]
    sealed: str
    checksum: str


LINE = msgspec.json.Decoder(PlannedOperation)
_SHORT_LINE = msgspec.json.Decoder(PlanLine)
ID_MARK = b'{"id":"'
"""First bytes of an operation's line."""
_BEGINNING = b'{"syncengine_plan":'


def _check_replaceable(path: Path) -> None:
    """Raise InputError where saving a plan would overwrite something else.

    A damaged plan may be overwritten, so a name that ends in .plan is enough.
    """
    if not path.exists():
        return
    if not path.is_file():
        raise InputError(
            f"cannot write the plan {path}: it is no ordinary file", hint="choose another --out", code="SE902"
        )
    if path.suffix == ".plan":
        return
    try:
        with path.open("rb") as there:
            first = there.read(len(_BEGINNING))
    except OSError as error:
        raise InputError(
            f"cannot replace {path}: {error.strerror}", hint="choose another --out", code="SE902"
        ) from error
    if first not in (b"", _BEGINNING):
        raise InputError(
            f"{path} is there already, and it is no plan: it stays as it is",
            hint="choose another --out, such as release.plan",
            code="SE902",
        )


class PlanWriter:
    """Writes a plan in one pass. The final name does not exist before `finish`. Mode 0600, because it holds values.

    With `seal`, only its recipients can read what the plan says about leads. `accept` receives the complete file and
    its summary before the file gets its name; where it raises, no file appears.
    """

    def __init__(
        self,
        path: Path | None,
        header: PlanHeader,
        provenance: Provenance,
        *,
        seal: Seal | None = None,
        accept: Callable[[Path, PlanSummary], None] | None = None,
    ) -> None:
        self._path = path
        self._accept = accept
        self._seal = seal
        self._sealed_lines = None if seal is None else SealedLines(seal, self._put)
        self._partial: Path | None = None
        self._file: BinaryIO | None = None
        self._checksum = hashlib.sha256()
        self._digest = PlanHasher(ENCODER.encode(header))
        stamp = None if seal is None else seal.stamp
        self._first = PlanFirstLine(syncengine_plan=FORMAT, header=header, provenance=provenance, sealed=stamp)
        self._waiting: list[PlannedOperation] = []
        self._lines: dict[str, int] = {}

    def begin(self, changeset: ChangesetId, line: int) -> None:
        """Record where the content of the changeset's document begins in its file: the digest covers lines counted from
        there, so that what precedes it does not matter."""
        if line > 1:
            self._lines[changeset] = line

    def write(self, operation: PlannedOperation) -> None:
        """Append one operation."""
        if self._lines and operation.changeset in self._lines:
            operation = moved(operation, 1 - self._lines[operation.changeset])
        self._waiting.append(operation)
        if len(self._waiting) >= _WRITTEN_AT_ONCE:
            self._write_waiting()

    def _write_waiting(self) -> None:
        lines = ENCODER.encode_lines(self._waiting)
        self._waiting.clear()
        self._digest.add_lines(lines)
        if self._sealed_lines is None:
            self._put(lines)
        else:
            self._sealed_lines.put(lines)

    def finish(
        self,
        *,
        counts: Counts,
        blocked: tuple[Blocker, ...],
        warnings: tuple[str, ...],
        notes: tuple[str, ...],
        changesets: tuple[ChangesetHeader, ...],
        changes: tuple[ChangeFacts, ...] = (),
        covered_findings: tuple[Finding, ...] = (),
        recorded_findings: tuple[Finding, ...] = (),
        parts: dict[str, str] | None = None,
    ) -> PlanSummary:
        """Write the footer, make the file durable and rename it to its final name."""
        self._write_waiting()
        lines: dict[str, int] = {changeset.id: changeset.line for changeset in changesets if changeset.line > 1}
        covered = _Covered(
            counts=counts,
            blocked=blocked,
            changesets=tuple(map(_covered_header, changesets)),
            changes=changes,
            findings=tuple(_moved_finding(finding, changesets, -1) for finding in covered_findings),
        )
        beside = _Beside(
            warnings=warnings,
            notes=notes,
            findings=recorded_findings,
            parts=parts or {},
            authors={changeset.id: changeset.authors for changeset in changesets if changeset.authors},
            commits={changeset.id: changeset.commits for changeset in changesets if changeset.commits},
            lines=lines,
        )
        digest = self._digest.finish(ENCODER.encode(covered))
        # The checksum covers everything before it, so it becomes the last member of the footer's object.
        self._put(self._footer(digest, covered, beside)[:-1] + _CHECKSUM_MARK)
        checksum = self._checksum.hexdigest().encode()
        self._put(checksum + b'"}\n')
        summary = PlanSummary(
            digest=digest,
            counts=counts,
            blocked=blocked,
            warnings=warnings,
            notes=notes,
            changesets=changesets,
            changes=changes,
            covered=covered_findings,
            recorded=recorded_findings,
            parts=parts or {},
        )
        self._publish(summary)
        return summary

    def _footer(self, digest: str, covered: _Covered, beside: _Beside) -> bytes:
        """The footer without the checksum."""
        if self._seal is None or self._sealed_lines is None:
            return ENCODER.encode({"digest": digest, "covered": covered, "beside": beside})
        self._sealed_lines.flush()
        return ENCODER.encode(
            {
                "digest": digest,
                "counts": covered.counts,
                "findings": len(covered.blocked),
                "changesets": [changeset.id for changeset in covered.changesets],
                "sealed": self._seal.close(ENCODER.encode(_Ending(covered=covered, beside=beside))),
            }
        )

    def discard(self) -> None:
        """Remove the unfinished file; no effect after `finish`."""
        if self._file is not None:
            # On a full disk, closing tries once more to write the remaining bytes, and fails again.
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
        if self._partial is not None:
            self._partial.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        # No file exists before this point. From here on, an interruption must remove it.
        try:
            if self._path is not None:
                self._open(self._path)
            self._put(ENCODER.encode(self._first) + b"\n")
        except BaseException:
            self.discard()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()

    def _open(self, path: Path) -> None:
        _check_replaceable(path)
        self._partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        try:
            descriptor = os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            self._partial = None
            raise InputError(
                f"cannot write the plan {path}: {error.strerror}", hint="choose another --out", code="SE902"
            ) from error
        self._file = os.fdopen(descriptor, "wb", buffering=_BLOCK)

    def _put(self, data: bytes) -> None:
        self._checksum.update(data)
        if self._file is not None:
            try:
                self._file.write(data)
            except OSError as error:
                raise InputError(
                    f"cannot write the plan {self._path}: {error.strerror}",
                    hint="free space, then plan again",
                    code="SE902",
                ) from error

    def _publish(self, summary: PlanSummary) -> None:
        if self._file is None or self._partial is None or self._path is None:
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None
            if self._accept is not None:
                self._accept(self._partial, summary)
            self._partial.replace(self._path)
        except OSError as error:
            raise InputError(
                f"cannot write the plan {self._path}: {error.strerror}",
                hint="free space, then plan again",
                code="SE902",
            ) from error


class PlanFile:
    """A plan file that was read completely and verified.

    `operations()` reads it again and compares every block with what was verified, so a file that is altered in place
    afterwards is detected before the altered bytes are used. A sealed plan is opened with `identities`.
    """

    def __init__(self, path: Path, source: BinaryIO, identities: Identities) -> None:
        self.path = path
        self._source = source
        self._identities = identities
        self._cover: Cover | None = None
        self._covered = 0
        """Bytes before the checksum's own characters."""
        self._blocks: list[bytes] = []
        """The checksum after each block; a second read is compared with it block by block."""
        self._start = 0
        self._end = 0
        first, footer = self._verify()
        self.header = first.header
        self.provenance = first.provenance
        self._begins = footer.beside.lines
        self.summary = _summary(footer)

    def operations(self) -> Iterator[PlannedOperation]:
        """Every operation in order. Raises AlteredPlan where the file changed since it was opened."""
        changesets = frozenset(changeset.id for changeset in self.summary.changesets)
        for operations in self._decoded(LINE):
            odd = odd_among(operations, changesets)
            if odd:
                raise self._altered(odd)
            if self._begins:
                yield from (moved(each, self._begins.get(each.changeset, 1) - 1) for each in operations)
            else:
                yield from operations

    def operations_named(self, ids: Sequence[str]) -> list[PlannedOperation]:
        """The operations of these ids, in this order. All others are skipped without being decoded."""
        wanted = {operation.encode(): rank for rank, operation in enumerate(ids)}
        found: dict[int, PlannedOperation] = {}
        for lines in self._lines():
            for line in lines.splitlines():
                marked = line.startswith(ID_MARK)
                rank = wanted.get(line[len(ID_MARK) : line.find(b'"', len(ID_MARK))]) if marked else None
                if rank is not None:
                    planned = LINE.decode(line)
                    found[rank] = moved(planned, self._begins.get(planned.changeset, 1) - 1)
            if len(found) == len(wanted):
                break
        return [found[rank] for rank in sorted(found)]

    def lines(self) -> Iterator[PlanLine]:
        """The same operations, decoded only as far as sending needs. For callers that have read `operations()`
        already."""
        for lines in self._decoded(_SHORT_LINE):
            yield from lines

    def _decoded(self, decoder: msgspec.json.Decoder[T]) -> Iterator[list[T]]:
        for lines in self._lines():
            try:
                # Many lines per call: a call for each line takes as long again as decoding it.
                decoded = decoder.decode_lines(lines)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise self._altered("an operation cannot be read") from error
            yield decoded

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _altered(self, why: str) -> AlteredPlan:
        return AlteredPlan(
            f"{self.path}: {why}", hint="make the plan again with 'syncengine plan'; its approvals do not carry over"
        )

    def _lines(self) -> Iterator[bytes]:
        """The operations' plain lines, whole lines at a time."""
        if self._cover is None:
            yield from self._chunks()
            return
        for lines in self._chunks():
            for line in lines.splitlines():
                try:
                    sealed = msgspec.json.decode(line, type=SealedLine).sealed
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise self._altered("a sealed line cannot be read") from error
                try:
                    plain = self._unsealed(sealed, self._cover)
                except SealedPlan as error:
                    # The same identities opened the footer, so this line was sealed for other recipients.
                    raise self._altered("what is sealed was altered") from error
                yield plain

    def _unsealed(self, sealed: str, cover: Cover) -> bytes:
        try:
            return self._identities.open(sealed, cover)
        except Damaged as error:
            raise self._altered("what is sealed was altered") from error

    def _chunks(self) -> Iterator[bytes]:
        """The file's lines between the first and the footer, whole lines at a time."""
        self._source.seek(0)
        rest: list[bytes] = []
        position = 0
        checksum = hashlib.sha256()
        for expected in self._blocks:
            block = self._source.read(_BLOCK)
            checksum.update(block[: max(0, self._covered - position)])
            if checksum.digest() != expected:
                raise self._altered("the file was changed while it was in use")
            inside = block[max(0, self._start - position) : max(0, self._end - position)]
            position += len(block)
            cut = inside.rfind(b"\n") + 1
            if cut:
                yield b"".join((*rest, inside[:cut]))
                rest = [inside[cut:]]
            else:
                rest.append(inside)

    def _verify(self) -> tuple[PlanFirstLine, Footer]:
        footer_raw, checksum = self._sum_up()
        if not footer_raw.endswith(b'"}\n') or _CHECKSUM_MARK not in footer_raw:
            raise self._altered("not a whole plan: the footer is missing")
        if footer_raw[-_TAIL:-3] != checksum.encode():
            raise self._altered("the checksum is wrong: the file was altered or cut")
        first = self._locate(len(footer_raw))
        if first.sealed is None:
            footer = self._ending(footer_raw, Footer)
        else:
            footer = self._sealed_footer(first, first.sealed, footer_raw)
        self._check(first, footer)
        return first, footer

    def _sum_up(self) -> tuple[bytes, str]:
        """Checksum over everything before its own characters, and the footer's line."""
        self._source.seek(0, os.SEEK_END)
        size = self._source.tell()
        self._covered = max(size - _TAIL, 0)
        checksum = hashlib.sha256()
        self._source.seek(0)
        seen = 0
        last_line: list[bytes] = []
        length = 0
        while block := self._source.read(_BLOCK):
            checksum.update(block[: max(0, self._covered - seen)])
            self._blocks.append(checksum.digest())
            seen += len(block)
            cut = block.rfind(b"\n", 0, -1) if seen == size else block.rfind(b"\n")
            if cut >= 0:
                last_line, length = [], 0
            last_line.append(block[cut + 1 :])
            length += len(last_line[-1])
            if length > _LONGEST_FOOTER:
                raise self._altered("not a plan: a line is too long")
        return b"".join(last_line), checksum.hexdigest()

    def _ending(self, raw: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(raw, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._altered("not a whole plan: the footer cannot be read") from error

    def _sealed_footer(self, first: PlanFirstLine, sealed_to: SealedTo, raw: bytes) -> Footer:
        """The decrypted footer of a sealed plan. The body is readable only after this."""
        if sealed_to.format != SEAL_FORMAT:
            raise self._altered(f"sealed as {sealed_to.format[:20]!r}, which this version cannot open")
        outside = self._ending(raw, _SealedFooter)
        self._cover = Cover(
            header=first.header,
            provenance=first.provenance,
            digest=PlanDigest(outside.digest),
            counts=outside.counts,
            changesets=outside.changesets,
            findings=outside.findings,
            recipients=sealed_to.recipients,
        )
        inside = self._ending(self._unsealed(outside.sealed, self._cover), _Ending)
        covered = inside.covered
        told = (outside.counts, outside.findings, outside.changesets)
        if told != (covered.counts, len(covered.blocked), tuple(changeset.id for changeset in covered.changesets)):
            raise self._altered("what is outside the seal differs from what is inside")
        return Footer(digest=outside.digest, covered=covered, beside=inside.beside, checksum=outside.checksum)

    def _locate(self, footer_length: int) -> PlanFirstLine:
        """Read the first line, and locate the beginning and the end of the operations."""
        self._source.seek(0, os.SEEK_END)
        self._end = self._source.tell() - footer_length
        self._source.seek(0)
        raw = self._source.readline(_LONGEST_FOOTER)
        self._start = len(raw)
        return self._first(raw)

    def _check(self, first: PlanFirstLine, footer: Footer) -> None:
        digest = PlanHasher(ENCODER.encode(first.header))
        total = 0
        for lines in self._lines():
            digest.add_lines(lines)
            total += lines.count(b"\n")
        if digest.finish(ENCODER.encode(footer.covered)) != footer.digest:
            raise self._altered("the digest is wrong: the content is not what was planned")
        if total != footer.covered.counts.total:
            raise self._altered("the number of operations is not the one in the footer")

    def _first(self, raw: bytes) -> PlanFirstLine:
        try:
            version = msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).get("syncengine_plan")
            if version is not None and bytes(version) != str(FORMAT).encode():
                raise AlteredPlan(
                    f"{self.path}: a plan of format {bytes(version).decode(errors='replace')[:20]}, made by another "
                    f"version of syncengine; this one reads format {FORMAT}",
                    hint="plan again with 'syncengine plan'; approvals of the old plan do not carry over",
                    code="SE611",
                )
            return msgspec.json.decode(raw, type=PlanFirstLine)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._altered("not a plan file") from error


def _summary(footer: Footer) -> PlanSummary:
    covered, beside = footer.covered, footer.beside
    changesets = tuple(
        msgspec.structs.replace(
            changeset,
            authors=beside.authors.get(changeset.id, ()),
            commits=beside.commits.get(changeset.id, {}),
            line=beside.lines.get(changeset.id, 1),
        )
        for changeset in covered.changesets
    )
    return PlanSummary(
        digest=PlanDigest(footer.digest),
        counts=covered.counts,
        blocked=covered.blocked,
        warnings=beside.warnings,
        notes=beside.notes,
        changesets=changesets,
        changes=covered.changes,
        covered=tuple(_moved_finding(finding, changesets, 1) for finding in covered.findings),
        recorded=beside.findings,
        parts=beside.parts,
    )


def _covered_header(changeset: ChangesetHeader) -> ChangesetHeader:
    return msgspec.structs.replace(changeset, authors=(), commits={}, line=1)


def moved(operation: PlannedOperation, lines: int) -> PlannedOperation:
    """The operation with its declaration moved down by some lines."""
    origin = msgspec.structs.replace(operation.origin, line=operation.origin.line + lines)
    return msgspec.structs.replace(operation, origin=origin)


def _moved_finding(finding: Finding, changesets: tuple[ChangesetHeader, ...], direction: int) -> Finding:
    """A covered finding whose evidence counts lines from the changeset's document (-1), or from its file (1)."""
    header = next((header for header in changesets if header.id == finding.changeset), None)
    if header is None or header.line <= 1:
        return finding
    lines = direction * (header.line - 1)
    evidence = tuple(
        msgspec.structs.replace(each, line=each.line + lines) if each.file == header.file else each
        for each in finding.evidence
    )
    return msgspec.structs.replace(finding, evidence=evidence)


def made_for(path: Path) -> str:
    """The changeset that `--each` made a plan file for, by its first line alone; "" for every other file.

    The rest of the file may be damaged, or sealed.
    """
    first = _unverified_first(path)
    return "" if first is None else first.provenance.selection.each


def position_of(path: Path) -> int | None:
    """The ledger's position when a plan file was made, by its first line alone; None where it is no plan file."""
    first = _unverified_first(path)
    return None if first is None else first.provenance.ledger_position


def _unverified_first(path: Path) -> PlanFirstLine | None:
    try:
        with open_ordinary(path, links=False) as file:
            return msgspec.json.decode(file.readline(LONGEST_FIRST), type=PlanFirstLine)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def open_plan(path: Path, identities: Identities | None = None) -> PlanFile:
    """Open and verify. Raises InputError where the file does not exist, AlteredPlan where it is not a complete plan.

    Raises SealedPlan where it is sealed and none of `identities` opens it.
    """
    return opened(path, lambda source: PlanFile(path, source, identities or Identities()))


def opened(path: Path, read: Callable[[BinaryIO], P]) -> P:
    """What `read` makes of the file; it is closed where that fails. Raises InputError where there is no such file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise InputError(
            f"cannot read the plan {path}: {error.strerror}",
            hint="name a file that 'syncengine plan --out' wrote",
            code="SE902",
        ) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InputError(f"{path} is not a file", hint="name a file that 'syncengine plan --out' wrote", code="SE902")
    source = os.fdopen(descriptor, "rb")
    try:
        return read(source)
    except BaseException:
        source.close()
        raise
