"""Location and signed content of approvals. Files are only appended to, and never through a symbolic link."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

from syncengine.core.errors import InputError
from syncengine.core.values import PlanDigest

NAMESPACE = "syncengine-plan"
MAX_BYTES = 1024 * 1024
_NO_LINK = "remove it, or copy the plan to a folder of your own and approve it there"


def signed_text(digest: PlanDigest) -> bytes:
    """The bytes that an approval signs: the digest and a newline."""
    return f"{digest}\n".encode()


def approval_path(plan: Path) -> Path:
    """The file beside a plan that holds its approvals."""
    return plan.with_name(f"{plan.name}.approval")


def repository_path(root: Path, digest: PlanDigest) -> Path:
    """The file of the repository that holds a plan's approvals: approvals/DIGEST.approval."""
    return root / "approvals" / f"{digest}.approval"


def add_approval(path: Path, armoured: str) -> bool:
    """Append a signature; False where the file contains it already. Atomic, also with concurrent writers."""
    try:
        if path.parent.is_symlink():
            raise InputError(
                f"cannot write the approval {path}: {path.parent} is a symbolic link", code="SE902", hint=_NO_LINK
            )
        path.parent.mkdir(exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
    except OSError as error:
        reason = "it is a symbolic link" if path.is_symlink() else error.strerror
        raise InputError(f"cannot write the approval {path}: {reason}", code="SE902", hint=_NO_LINK) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InputError(f"cannot write the approval {path}: not a file", code="SE902", hint=_NO_LINK)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return _append(descriptor, armoured, path)
    finally:
        os.close(descriptor)


def _append(descriptor: int, armoured: str, path: Path) -> bool:
    size = os.fstat(descriptor).st_size
    if size > MAX_BYTES:
        raise InputError(f"{path} has more than {MAX_BYTES:,} bytes", code="SE902", hint="remove old approvals from it")
    before = os.pread(descriptor, MAX_BYTES + 1, 0)
    if armoured.strip().encode() in before:
        return False
    data = (b"" if not before or before.endswith(b"\n") else b"\n") + armoured.strip().encode() + b"\n"
    try:
        if os.write(descriptor, data) != len(data):
            raise OSError(0, "no space left")
        os.fsync(descriptor)
    except OSError as error:
        os.ftruncate(descriptor, size)
        raise InputError(
            f"cannot write the approval {path}: {error.strerror}", code="SE902", hint="free space, then approve again"
        ) from error
    return True
