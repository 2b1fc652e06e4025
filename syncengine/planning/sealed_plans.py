"""Sealed plans: what a plan says about leads, encrypted in the age format for its readers.

pyrage does the cryptography. The body of a sealed plan is a sequence of ordinary age files, each of some hundred lines,
so that neither writing nor reading holds a plan in memory and no plain copy is written to disk. The plan's digest, over
the plain lines in order, binds them together. See docs/plan-file.md.
"""

from __future__ import annotations

import base64
import binascii
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from syncengine.core.errors import InputError
from syncengine.core.plan import Counts, PlanHeader, Provenance
from syncengine.core.redaction import Secret
from syncengine.core.text import hidden_in, lines_of
from syncengine.core.values import ChangesetId, PlanDigest
from syncengine.documents.files import read_bounded

if TYPE_CHECKING:
    from pyrage import ssh, x25519

    Recipient = x25519.Recipient | ssh.Recipient
    Identity = x25519.Identity | ssh.Identity

VARIABLE = "SYNCENGINE_IDENTITY"
"""An identity itself, as CI provides secrets, or the path of a file that holds one."""

SEAL_FORMAT = "age"

_AT_ONCE = 256 << 10
"""Plain bytes in one age file."""
_LARGEST_KEYS = 64 << 10
_SSH = ("ssh-ed25519 ", "ssh-rsa ")
_AGE = "AGE-SECRET-KEY-"
_PEM = "-----BEGIN "
_SHOWN = "[identity]"


class SealedTo(msgspec.Struct, frozen=True, kw_only=True):
    """Fields in the first line of a sealed plan. Recipients are public keys, without the comments of SSH keys."""

    format: str
    recipients: tuple[str, ...]


class Cover(msgspec.Struct, frozen=True, kw_only=True):
    """The publicly readable part of a sealed plan. It is unverified until the plan is opened."""

    header: PlanHeader
    provenance: Provenance
    digest: PlanDigest
    counts: Counts
    changesets: tuple[ChangesetId, ...]
    findings: int
    recipients: tuple[str, ...]


class SealedPlan(InputError):
    """The plan is sealed, and no available identity opens it."""

    code = "SE908"

    def __init__(self, message: str, *, hint: str, cover: Cover) -> None:
        super().__init__(message, hint=hint)
        self.cover = cover


class Damaged(Exception):
    """Sealed content cannot be decrypted although the identity is right: it is not what was written."""


class Identities:
    """The available private keys. They are read only when a sealed plan needs them."""

    def __init__(
        self,
        files: Sequence[Path] = (),
        environ: Mapping[str, str] | None = None,
        *,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        self._files = tuple(files)
        self._environ = environ or {}
        self._warn = warn
        self._loaded: list[Identity] | None = None

    @classmethod
    def holding(cls, identity: Identity) -> Self:
        """Identities with one key that is in memory already."""
        made = cls()
        made._loaded = [identity]
        return made

    def open(self, sealed: str, cover: Cover) -> bytes:
        """The plain bytes. Raises SealedPlan where none of the identities is a recipient, Damaged where one is."""
        _require_library()
        import pyrage

        try:
            data = base64.b64decode(sealed, validate=True)
        except (binascii.Error, ValueError):
            raise Damaged from None
        if self._loaded is None:
            self._loaded = self._load()
        if not self._loaded:
            raise SealedPlan(
                f"the plan is sealed to {_named(cover.recipients)}, and no identity was given",
                hint=f"name the file of your private key with --identity FILE, or set {VARIABLE}",
                cover=cover,
            )
        try:
            return pyrage.decrypt(data, self._loaded)
        except pyrage.DecryptError as error:
            if "no matching keys" not in str(error).lower():
                raise Damaged from None
        raise SealedPlan(
            f"no identity at hand opens the plan: it is sealed to {_named(cover.recipients)}",
            hint="take the identity of one of these recipients, or have the plan made for yours: "
            "'syncengine plan --values sealed --recipient KEY'",
            cover=cover,
        )

    def _load(self) -> list[Identity]:
        found: list[Identity] = []
        for path in self._files:
            found.extend(self._of_file(path))
        given = Secret(self._environ.get(VARIABLE, "").strip(), shown=_SHOWN)
        if _looks_like_a_key(given):
            found.extend(_identities(given, f"environment variable {VARIABLE}"))
        elif given.reveal():
            found.extend(self._of_file(Path(given.reveal())))
        return found

    def _of_file(self, path: Path) -> list[Identity]:
        path = path.expanduser()
        text = Secret(_text_of(path, "identity"), shown=_SHOWN)
        if self._warn is not None and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            self._warn(f"{path} holds an identity and is open to other users: chmod 600 {path}")
        return _identities(text, f"file {path}")


class Seal:
    """The recipients of a plan that is being written: the named ones, and the process that writes it."""

    def __init__(self, recipients: Sequence[Recipient], names: Sequence[str]) -> None:
        from pyrage import x25519

        self.names = tuple(names)
        # The process renders the plan's views from the file that it wrote, so it needs an identity of its own, which
        # only this process holds.
        own = x25519.Identity.generate()
        self._recipients: list[Recipient] = [*recipients, own.to_public()]
        self.identities = Identities.holding(own)

    @classmethod
    def to(cls, keys: Sequence[str]) -> Self:
        """For public keys: age1..., an SSH key as in a .pub file, or a file of such. Raises InputError where one is
        invalid."""
        _require_library()
        recipients: dict[str, Recipient] = {}
        for key in keys:
            for text, where in _expanded(key):
                name, recipient = _recipient(text, where)
                recipients[name] = recipient
        if not recipients:
            raise InputError("a sealed plan needs a recipient", code="SE907", hint="add --recipient KEY; repeatable")
        return cls(tuple(recipients.values()), tuple(recipients))

    @property
    def stamp(self) -> SealedTo:
        """The fields for the first line."""
        return SealedTo(format=SEAL_FORMAT, recipients=self.names)

    def close(self, data: bytes) -> str:
        """Encrypt one age file, as text."""
        import pyrage

        return base64.b64encode(pyrage.encrypt(data, self._recipients)).decode("ascii")


class SealedLines:
    """Buffers lines on their way into a file, encrypts some hundred at a time, and passes them on as lines."""

    def __init__(self, seal: Seal, put: Callable[[bytes], None]) -> None:
        self._seal = seal
        self._put = put
        self._waiting = bytearray()

    def put(self, lines: bytes) -> None:
        """Add whole lines."""
        self._waiting += lines
        if len(self._waiting) >= _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Encrypt and pass on the buffered lines."""
        if self._waiting:
            self._put(b'{"sealed":"' + self._seal.close(bytes(self._waiting)).encode() + b'"}\n')
            self._waiting.clear()


class SealedLine(msgspec.Struct, frozen=True):
    """One line of the body."""

    sealed: str


def _require_library() -> None:
    try:
        import pyrage  # noqa: F401
    except ImportError as error:
        raise InputError(
            "sealed plans need the extra [sealed]",
            code="SE909",
            hint="install it: pip install 'leadbyte-syncengine[sealed]'",
        ) from error


def _expanded(key: str) -> Iterator[tuple[str, str]]:
    """Public keys as texts, each with its location."""
    if key.startswith(("age1", *_SSH)):
        yield key, "--recipient"
        return
    if key.startswith((_AGE, _PEM)):
        raise InputError(
            "--recipient was given a private key", code="SE907", hint="give the public one; and make a new pair of keys"
        )
    path = Path(key).expanduser()
    for number, line in enumerate(lines_of(_text_of(path, "recipients")), 1):
        text = line.strip(" \t")
        if text and not text.startswith("#"):
            yield text, f"{path}, line {number}"


def _recipient(text: str, where: str) -> tuple[str, Recipient]:
    import pyrage

    try:
        if text.startswith(_SSH):
            name = " ".join(re.split(r"[ \t]+", text)[:2])
            return name, pyrage.ssh.Recipient.from_str(name)
        return text, pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise InputError(
            f"{where}: this is no public key that a plan can be sealed to{_hidden(text)}",
            code="SE907",
            hint="age1..., ssh-ed25519 or ssh-rsa; or a file of such, one a line (other kinds of SSH keys cannot seal)",
        ) from None


def _hidden(text: str) -> str:
    point = hidden_in(re.sub(r"[ \t]", "", text))
    return f"; it holds the invisible character {point}" if point else ""


def _identities(text: Secret, where: str) -> list[Identity]:
    """The private keys in a text: an SSH key, or age identities one a line. No message quotes any of it."""
    found = _parsed(text)
    if isinstance(found, str):
        raise InputError(
            f"{where} holds {found}",
            code="SE907",
            hint="AGE-SECRET-KEY-1..., or a private SSH key (ed25519 or RSA) without a passphrase",
        )
    return found


def _parsed(secret: Secret) -> list[Identity] | str:
    """The parsed keys, or what was found instead. Must not raise, since the keys are unwrapped here."""
    import pyrage

    text = secret.reveal().strip()
    try:
        if text.startswith(_PEM):
            return [pyrage.ssh.Identity.from_buffer(text.encode() + b"\n")]
        lines = (line.strip(" \t") for line in lines_of(text))
        keys: list[Identity] = [
            pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")
        ]
    except pyrage.IdentityError as error:
        return "an SSH key with a passphrase" if "decrypted" in str(error) else "no identity that can open a plan"
    return keys or "no identity"


def _looks_like_a_key(secret: Secret) -> bool:
    return secret.reveal().startswith((_AGE, _PEM, "#"))


def _text_of(path: Path, what: str) -> str:
    try:
        return read_bounded(path, _LARGEST_KEYS).decode("utf-8-sig")
    except InputError as error:
        raise InputError(
            f"{what}: {error.message}", code="SE907", hint="name a file of keys, or give the key itself"
        ) from error
    except UnicodeDecodeError:
        raise InputError(f"{what}: {path} is no text", code="SE907", hint="name a file of keys") from None


def _named(recipients: Sequence[str]) -> str:
    shown = [name if len(name) <= 80 else f"{name[:40]}…{name[-12:]}" for name in recipients[:5]]
    more = f" and {len(recipients) - 5} more" if len(recipients) > 5 else ""
    return f"{', '.join(shown)}{more}"
