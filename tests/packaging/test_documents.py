"""What the documents name is there. Their commands are run by tests/docs."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def blocks(document: str, section: str, language: str) -> list[str]:
    """Code blocks of one section."""
    text = (ROOT / document).read_text(encoding="utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_completion_lines_of_the_guide_name_the_variable_that_is_read() -> None:
    lines = blocks("docs/install.md", "Shell completion", "sh")
    assert [re.findall(r"_SYNCENGINE_COMPLETE=(\w+)_source", line) for line in lines] == [["bash"], ["zsh"], ["fish"]]


def test_every_page_that_is_named_exists() -> None:
    """In the code's own words too: a reader who follows a reference must find something."""
    named = {
        (path.relative_to(ROOT).as_posix(), page)
        for folder in ("syncengine", "docs", "specs")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".md", ".sql", ".yaml")
        for page in re.findall(r"\bdocs/[a-z-]+\.md\b", path.read_text(encoding="utf-8"))
    }
    assert named
    assert [(where, page) for where, page in sorted(named) if not (ROOT / page).exists()] == []
