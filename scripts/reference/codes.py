"""Diagnostics, exit codes and filters."""

from __future__ import annotations

from syncengine.core.codes import CODES
from syncengine.core.errors import EXIT_WORDS
from syncengine.documents.filter_docs import FILTER_DOCS

CLASSES = {
    "SE1": ("Reading a file", "The file cannot be read as YAML. Exit 1."),
    "SE2": ("Form", "The document does not have the form of a changeset. Exit 1."),
    "SE3": ("Templates and data", "A template, a source, an observed or an imported file is wrong. Exit 1."),
    "SE4": ("Contradictions", "Declarations contradict each other or the record. Exit 1."),
    "SE5": ("Configuration", "syncengine.yaml, the policy, or the environment that they name is wrong. Exit 1."),
    "SE6": (
        "Refusals",
        "Well-formed, but it must not be applied now. Nothing was sent. Exit 3.",
    ),
    "SE7": ("Ledger", "The record failed while in use. Exit 1; once a run began, 4 or 5."),
    "SE9": ("Command and machine", "How the command was called, and what it found on the machine. Exit 1."),
}

DIAGNOSTICS = """\
# Diagnostics

<!-- Made by scripts/generate-docs from syncengine/core/codes.py. -->

Every finding and every error has a code. Codes are stable: their wording may change, their meaning does not, and a
retired code is never used again. The message of a code states what happened, where, and what to do next.
"""

FILTERS = """\
# Filters in templates

<!-- Made by scripts/generate-docs from syncengine/documents/filter_docs.py. -->

`{{ row.postcode | uk_postcode }}` passes a value through a filter. Filters depend only on their input, not on locale
or clock. Arguments may be passed by name, as in `money(decimal=',')`. An invalid value is an error. An empty value
is an error too, except for `trim`, `squeeze`, `digits` and the filters that change case. If cells may be empty, write
`{{ '' if row.phone is blank else row.phone | e164 }}` and `skip_empty: true`. A test runs every line
of these tables.

| filter | example | gives | rule |
| --- | --- | --- | --- |
"""

FURTHER_EXAMPLES = """
## Further examples

| example | gives |
| --- | --- |
"""

EXITS = """\
# Exit codes

<!-- Made by scripts/generate-docs from syncengine/core/errors.py. -->

| code | means |
| --- | --- |
"""

EXITS_NOTES = """
- After an intent was recorded, 1 and 3 are not used: a failure during a run (a full disk, a lost ledger, a bug) exits
  with 5 if the outcome of a sent operation could not be recorded, else with 4.
- If several codes apply, the first of 130, 5, 4 is used; 3 takes precedence over 2.
- `apply DIR` exits with 4 if a plan was refused and something was sent, with 3 if a plan was refused and nothing was
  sent, and with 6 only if none of the other codes applies. A single plan without its approvals exits with 3.
- `status`, `history`, `explain` and `show` exit with 0, regardless of what they report. `verify` and `drift` exit with
  4 if values differ; `doctor` and `ledger check` exit with 1 if they find a problem.
- Wrong usage exits with 1, never with 2.
- If a result cannot be written to standard output, the exit code is 1, unless a run began: then the code of the run is
  used.

[For operators](operators.md) describes what to do for each code.
"""


def diagnostics() -> str:
    """Every code, by class."""
    text = DIAGNOSTICS
    for prefix, (title, words) in CLASSES.items():
        text += f"\n## {prefix}xx: {title}\n\n{words}\n\n| code | meaning |\n| --- | --- |\n"
        text += "".join(f"| {code} | {sentence} |\n" for code, sentence in CODES.items() if code.startswith(prefix))
    return text


def filters() -> str:
    """Every filter, with an example that a test runs."""
    text = FILTERS
    for doc in FILTER_DOCS:
        usage, gives, rule = (each.replace("|", "\\|") for each in (doc.usage, doc.gives, doc.rule))
        text += f"| `{doc.name}` | `{usage}` | `{gives}` | {rule} |\n"
    text += FURTHER_EXAMPLES
    for doc in FILTER_DOCS:
        for usage, gives in (*doc.more, *((usage, "") for usage in doc.refused)):
            text += "| `{}` | {} |\n".format(usage.replace("|", "\\|"), f"`{gives}`" if gives else "an error")
    return text


def exit_codes() -> str:
    """Every exit code."""
    return EXITS + "".join(f"| {int(code)} | {words} |\n" for code, words in EXIT_WORDS.items()) + EXITS_NOTES
