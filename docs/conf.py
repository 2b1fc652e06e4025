"""The site: `python -m sphinx -W -b html docs build/site`. Pages are plain Markdown; this file says in which order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.errors import ExtensionError

from syncengine import __version__

project = "syncengine"
author = "The syncengine maintainers"
version = release = __version__
extensions = ["myst_parser"]
myst_heading_anchors = 3
nitpicky = True
smartquotes = False  # Two hyphens are two hyphens.
html_theme = "furo"
html_title = f"syncengine {__version__}"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
# Nothing is fetched from elsewhere when a page is read.
exclude_patterns = ["conf.py"]

_OUTSIDE = re.compile(r"\[([^\]]+)\]\((\.\./[^)#]+)\)")

NAV = {
    "Start": ["tutorial", "tutorial-call-centre", "install"],
    "How to": [
        "authors", "reviewers", "ci", "operators", "distributed", "quarantine", "returns", "lookup", "rejects",
        "import", "verify", "doctor", "sealed-plans", "retention", "python",
    ],
    "Reference": [
        "language", "filters", "sources", "lead-schema", "configuration", "policy", "approvals", "observed-values",
        "findings", "commands", "exit-codes", "diagnostics", "plan-file", "plans", "ledger", "telemetry",
    ],
    "Explanation": ["promises", "identity", "outcomes", "security", "reliability", "performance", "scale", "testing"],
}  # fmt: skip


def pages_of(folder: Path) -> dict[str, list[str]]:
    """The navigation, with pages that no section names under the last heading: a new page is never lost."""
    named = {page for pages in NAV.values() for page in pages} | {"index"}
    found = {path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.md")}
    decisions = sorted(page for page in found if page.startswith("decisions/"))
    rest = sorted(found - named - set(decisions))
    return {title: pages for title, pages in (*NAV.items(), ("Decisions", decisions), ("More", rest)) if pages}


def _without_outside(app: Any, docname: str, source: list[str]) -> None:
    """Links to files above this folder become their names: the site holds the pages alone."""
    for text, path in set(_OUTSIDE.findall(source[0])):
        if not (Path(app.srcdir) / path).exists():
            raise ExtensionError(f"{docname}: there is no {path}")
        source[0] = source[0].replace(f"[{text}]({path})", f"{text} (`{path.removeprefix('../')}`)")


def _with_navigation(app: Any, docname: str, source: list[str]) -> None:
    """The first page holds the navigation; in its file it would look odd wherever Markdown is read as it is."""
    if docname != "index":
        return
    for title, pages in pages_of(Path(app.srcdir)).items():
        listed = "\n".join(pages)
        source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{listed}\n```\n"


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _without_outside)
    app.connect("source-read", _with_navigation)
