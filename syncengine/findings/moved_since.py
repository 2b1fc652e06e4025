"""Files that a plan read and that differ from the commit that it was made from."""

from __future__ import annotations

from collections.abc import Iterator

from syncengine.core.finding import SHOWN, Evidence, Finding
from syncengine.core.plan import MadeFrom
from syncengine.findings.rule import Description, counted

RULE = "moved-since"
ABOUT = Description(
    name=RULE,
    severity="medium",
    threshold="files that the plan read differ from the commit that it was made from; `count` is of files",
    example="data/approved.csv has changes that are not committed",
)


def moved_since(made_from: MadeFrom) -> Iterator[Finding]:
    """One finding with the names of the files; nothing where git does not know the commit."""
    if not made_from.differing:
        return
    differ = "differs" if made_from.differing == 1 else "differ"
    yield Finding(
        rule=RULE,
        severity="medium",
        message=f"{counted(made_from.differing, 'file')} {differ} from commit {made_from.commit[:12]}: "
        f"{named_files(made_from.differ, made_from.differing)}",
        count=made_from.differing,
        evidence=tuple(Evidence(file=file) for file in made_from.differ[:SHOWN]),
    )


def named_files(files: tuple[str, ...], count: int) -> str:
    """The first files by name, and how many more there are."""
    named = files[:SHOWN]
    return ", ".join(named) + (f" and {count - len(named):,} more" if count > len(named) else "")
