"""The rules of findings."""

from __future__ import annotations

from syncengine.core.finding import RULES
from syncengine.findings.descriptions import DESCRIPTIONS

_HEAD = """\
# Findings: what a reviewer looks at first

<!-- Made by scripts/generate-docs from syncengine/findings/. -->

A *finding* is one thing that a reviewer should know, found by one rule. Findings stand first in every view, and in
`findings` of the JSON view: high severity first, then by how many operations they are about. Only operations that
somebody still means to be sent are looked at (`to_send`, `held`, `blocked`). "Before" is what the plan shows as before
(ledger, observed, read); a rule that needs it is silent where it is unknown.

The verdict is `blocked`, `attention` (at least one finding of high or medium severity), `clear`, or `nothing` where
nothing is to be sent. `warnings` holds the messages of high and medium findings, then other remarks.

Findings that follow from the plan's lines are worked out again whenever it is shown, approved or applied, never read
from the file. Those that rest on more are recorded by `plan`: *covered* ones under the digest, the others beside it,
since they speak of other changesets, runs or files.

## What a policy can make of them

```yaml
policy:
  findings: {negative-margin: block, shared-lead: ignore}
```

`block` blocks the whole plan where the rule finds something of high or medium severity; it is judged again when the
plan is applied. Only rules that rest on the plan's lines, or are covered, can block. `ignore` replaces the findings of
a rule by one line that says how many there are.

## The rules

| rule | severity | when | for example | rests on |
| --- | --- | --- | --- | --- |
"""
_BASIS = {"lines": "the plan's lines", "covered": "covered record", "recorded": "record beside the digest"}


def page() -> str:
    """docs/findings.md."""
    rows = [
        f"| `{about.name}` | {about.severity} | {_cell(about.threshold)} | {_cell(about.example)} "
        f"| {_BASIS[RULES[about.name]]} |"
        for about in DESCRIPTIONS
    ]
    return _HEAD + "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
