"""Views of several plans as one comment: where they are too long together, each is cut at the end of a line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from syncengine.reports.markdown_parts import units

WARNINGS = 8_000
"""Room for warnings that no view shows."""
SHORTEST = 400
"""A view is not cut below that: the plans at the end are left out instead."""
_ENDING = 120
"""Room for what says that a view was cut."""
_DEFINITION = re.compile(r"(\[[^\]]+\]): ")


def shares(lengths: Sequence[int], room: int) -> list[int]:
    """The room for each of these views, in their order; fewer where not all of them fit. What short ones leave goes to
    the others."""
    shown = lengths[: max(1, room // SHORTEST)]
    found = [0] * len(shown)
    for done, position in enumerate(sorted(range(len(shown)), key=shown.__getitem__)):
        found[position] = min(shown[position], room // (len(shown) - done))
        room -= found[position]
    return found


def fitting(lines: Sequence[str], room: int) -> list[str]:
    """As many lines as fit, and how many do not."""
    kept: list[str] = []
    for line in lines:
        room -= units(line) + 1
        if room < 0:
            return [*kept, f"- and {len(lines) - len(kept)} more"]
        kept.append(line)
    return kept


def cut_view(view: str, room: int, file: str) -> str:
    """The first lines of a view, with the definitions of their links, and a line that says where the rest is."""
    if units(view) <= room:
        return view
    left = room - _ENDING - units(file)
    lines = [f"{line}\n" for line in view.split("\n")]
    definitions = {match[1]: line for line in lines if (match := _DEFINITION.match(line))}
    kept: list[str] = []
    used: dict[str, str] = {}
    opened = 0
    for line in lines:
        news = {key: text for key, text in definitions.items() if key in line and key not in used}
        opened += line.count("<details>") - line.count("</details>")
        left -= units(line) + sum(map(units, news.values())) + len("</details>\n\n") * line.count("<details>")
        if left < 0 and kept:
            opened -= line.count("<details>") - line.count("</details>")
            break
        kept.append(line)
        used |= news
    closed = "</details>\n\n" * opened
    return (
        f"{''.join(kept)}\n{closed}*The rest was cut:* `syncengine show {file}` *shows it.*\n\n{''.join(used.values())}"
    )
