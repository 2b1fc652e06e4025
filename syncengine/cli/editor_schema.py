"""The schema that editors check changesets by."""

from __future__ import annotations

import os
from pathlib import Path


def changeset_schema(root: Path, changeset: Path) -> str:
    """The path of the repository's changeset schema for editors, as seen from a changeset; "" where `init` wrote none.

    It goes into the comment `# yaml-language-server: $schema=PATH`.
    """
    schema = root / ".syncengine" / "schemas" / "changeset.v1.schema.json"
    if not schema.is_file():
        return ""
    return Path(os.path.relpath(schema.resolve(), changeset.absolute().parent.resolve())).as_posix()
