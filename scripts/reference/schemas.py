"""The language and the configuration, from their JSON Schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"

LANGUAGE = """\
# The language of changesets

<!-- Made by scripts/generate-docs from schemas/changeset.v1.schema.json. -->

A changeset is one YAML document; a file may hold several, separated by lines of `---`. [For authors](authors.md) shows
how to write one, [filters](filters.md) and [sources](sources.md) give details, and [identity](identity.md) defines when
operations are the same. `syncengine schema changeset` prints the schema.

- **Values are sent as typed.** `7010`, `yes`, `1e3` and `2001-02-03` keep the characters written, quoted or not.
  Plain `null`, `~` and nothing are errors: quote them.
- Unknown and duplicate keys, explicit tags, merge keys, and aliases beyond a limit are errors.
- Quote a value that begins with `& * ! % @ ? : - [ {`, a quote or a backtick, ends with `:`, or contains ` #` or `: `.
  These have a meaning in YAML: `&Sons Ltd` is read as `Ltd`, `Flat #3` as `Flat`. An anchor that
  no alias uses is an error (SE116), and so is `?` at the start of a text inside `[ ]` or `{ }` (SE118). A value cut off
  by ` #` with text directly after it is a warning (SE117); `# a remark`, with a space, gives none.
- A text that continues in the next line is joined with a space. If that line begins with `- `, like an item of a list,
  a warning is reported (SE119).
- In a value, `{{ ... }}` may use `vars`, `row`, `lead` and `changeset`, and always gives text.

## Expressions

`when` holds one expression, written without braces; a value may hold several, each in `{{ ... }}`.

- **Only a comparison is true or false.** A cell that says `FALSE`, `no` or `0` is a text, and no text, number, list or
  missing value counts as true or false. The operands of `if`, `not`, `and` and `or`, and the result of `when`, must be
  a comparison or a test: `row.optin == 'TRUE'`, not `row.optin`. Anything else is an error (SE304) that shows what to
  write. A cell is checked on the rows where it decides the result; a quoted text is always checked: write
  `row.status in ['approved', 'returned']`, not `row.status == 'approved' or 'returned'`.
- `==`, `!=` compare texts with texts and numbers with numbers; comparing two kinds is an error. Values are texts: for
  `<` and `>` write `row.payout | number > 80`.
- **`in` and `not in` need a list** on their right: `['approved', 'returned']`, `('approved',)` with its comma, or a
  list under `vars`, as in `row.status in vars.sold`. `('approved')` is a text, and an error. For a part of a text write
  `row.notes is containing('call back')`.
- `row.postcode is blank` is true for a text that is empty or has no visible characters (only spaces, no-break spaces,
  zero-width and other invisible characters). `row.note is defined` tests whether the row has the cell, which JSON
  Lines, Parquet and SQL may leave out; there is no other missing value.
- An `if` in a value needs an `else`: `{{ 'yes' if row.optin == 'TRUE' else 'no' }}`.
- `vars` holds texts, lists of texts, and mappings of text to text for
  [`lookup`](filters.md): `{{ row.status | lookup(vars.names) }}`. A list or mapping is never converted to text, and
  `--var` replaces texts only.
- A column whose name is not an identifier is written `row['First Name']`.
"""

CONFIGURATION = """\
# The configuration: syncengine.yaml

<!-- Made by scripts/generate-docs from schemas/config.v1.schema.json. -->

Named by `--config` or `SYNCENGINE_CONFIG`, or found in the working directory or a parent of it; a file that another
user may have placed there, as in `/tmp`, must be named explicitly. Its folder is *the repository*; sources and schemas
must be inside it. `syncengine init` writes one, `syncengine doctor` checks it, and `syncengine schema config` prints
the schema. [Policy](policy.md) explains the rules, [the ledger](ledger.md) its settings.

If there is none in the working directory or above it, `validate`, `plan`, `apply` and `doctor` look in the folder of
their first PATH and above that. A configuration found that way reads no key and opens no connection, as with
`--offline`; a command that needs either reports it and names the `--config` to pass (SE508).

## Several configurations in one repository

A changeset belongs to the nearest syncengine.yaml above it. If another one is in use, the changeset is refused (SE506),
and the message shows the command to use, such as `syncengine validate --config uk/syncengine.yaml uk/changesets`.
Subfolders of a searched folder that contain a syncengine.yaml are skipped; if they contain changesets, `validate` and
the plan warn and state their number (SE507). In a new repository that applies to `sandbox/`.

Changesets end in `.yaml` or `.yml`, in upper or lower case. A search skips hidden files and folders, and
YAML files without keys of a changeset, such as the settings of another program (SE509, a warning).
"""


def language() -> str:
    """docs/language.md."""
    return LANGUAGE + "".join(_sections(_read("changeset"), "A changeset"))


def configuration() -> str:
    """docs/configuration.md."""
    return CONFIGURATION + "".join(_sections(_read("config"), "syncengine.yaml"))


def _read(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{name}.v1.schema.json").read_text(encoding="utf-8"))
    return schema


def _sections(root: dict[str, Any], title: str) -> Iterator[str]:
    """A table for each mapping with fixed keys, outermost first."""
    found = _mappings(root)
    paths = [path for path, _ in found]
    for path, node in found:
        rows = [
            _row(root, key, value, required=key in node.get("required", []))
            for key, value in node["properties"].items()
        ]
        kind = f" with `{next(iter(node['properties']))}`" if paths.count(path) > 1 else ""
        heading = f"`{path}`{kind}" if path else title
        told = f"{_sentence(node['description'])}\n\n" if path and node.get("description") else ""
        yield f"\n## {heading}\n\n{told}| key | value | meaning |\n| --- | --- | --- |\n{''.join(rows)}"


def _mappings(root: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Where in the document each mapping with fixed keys stands; each once."""
    found = [("", root)]
    for path, node in found:
        for key, value in node["properties"].items():
            place = f"{path}.{key}" if path else key
            found += [(at, inner) for at, inner in _inner(root, place, value) if all(inner is not n for _, n in found)]
    return found


def _inner(root: dict[str, Any], path: str, value: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The mappings with fixed keys that a value is, or holds."""
    for place, node in _variants(root, path, value):
        if "properties" in node and node.get("additionalProperties") is False:
            yield place, node
        more = node.get("additionalProperties")
        if isinstance(more, dict):
            yield from _inner(root, f"{place}.NAME", more)
        items = node.get("items")
        if isinstance(items, dict):
            yield from _inner(root, f"{place}[]", items)


def _variants(root: dict[str, Any], path: str, value: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    node = _resolved(root, value)
    yield path, node
    for keyword in ("then", "else"):
        if isinstance(node.get(keyword), dict):
            yield from _variants(root, path, node[keyword])
    for keyword in ("anyOf", "oneOf", "allOf"):
        for each in node.get(keyword, []):
            yield from _variants(root, path, each)


def _resolved(root: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """With what it refers to; the key's own words come first."""
    reference = node.get("$ref", "")
    if not reference.startswith("#/$defs/"):
        return node
    target = root["$defs"][reference.removeprefix("#/$defs/")]
    if set(node) == {"$ref"}:
        return target
    return {**target, **{key: value for key, value in node.items() if key != "$ref"}}


def _row(root: dict[str, Any], key: str, value: dict[str, Any], *, required: bool) -> str:
    node = _resolved(root, value)
    words = _sentence(node.get("description", ""))
    if "examples" in node:
        words += f" Example: {_code(node['examples'][0])}."
    if "default" in node and node["default"] is not None:
        words += f" Default: {_code(node['default'])}."
    if required:
        words = f"**Required.** {words}"
    return f"| `{key}` | {_kind(root, node)} | {words.strip()} |\n"


def _kind(root: dict[str, Any], node: dict[str, Any]) -> str:
    node = _resolved(root, node)
    if "const" in node:
        return _code(node["const"])
    if "enum" in node:
        return ", ".join(_code(each) for each in node["enum"])
    kind = node.get("type", "")
    names = kind if isinstance(kind, list) else [kind]
    if set(names) == {"string", "number", "boolean"}:
        return "text"
    words = {"object": "mapping", "array": "list", "string": "text", "boolean": "`true` or `false`", "null": "`null`"}
    told = " or ".join(words.get(name, name) for name in names if name)
    if told == "list" and isinstance(node.get("items"), dict):
        inner = _kind(root, node["items"])
        return f"list of {inner}" if inner else "list"
    bounds = [f"from {node['minimum']}"] if "minimum" in node else []
    bounds += [f"above {node['exclusiveMinimum']}"] if "exclusiveMinimum" in node else []
    bounds += [f"to {node['maximum']}"] if "maximum" in node else []
    return f"{told}, {' '.join(bounds)}" if bounds and told in ("number", "integer") else told


def _sentence(text: str) -> str:
    """Safe inside a table; braces and stars as they are."""
    return " ".join(text.split()).replace("|", "\\|").replace("*", "\\*").replace("<", "\\<")


def _code(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.replace("\t", "\\t")
    return f"`{text}`".replace("|", "\\|")
