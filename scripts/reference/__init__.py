"""The pages that are made from the code: `PAGES` maps a path in the repository to the function that writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reference import codes, commands, findings, manual, schemas

PAGES: Mapping[str, Callable[[], str]] = {
    "docs/diagnostics.md": codes.diagnostics,
    "docs/exit-codes.md": codes.exit_codes,
    "docs/filters.md": codes.filters,
    "docs/findings.md": findings.page,
    "docs/language.md": schemas.language,
    "docs/configuration.md": schemas.configuration,
    "docs/commands.md": commands.page,
    "man/syncengine.1": manual.page,
}
