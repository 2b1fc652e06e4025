"""Identity and text: what must not matter does not, and what was written is what is sent."""

import json
import re
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.changeset.load import load
from syncengine.core.identity import operation_id
from syncengine.core.operations import values_of
from syncengine.core.settings import Settings
from syncengine.core.text import is_blank
from syncengine.documents.configuration import load_configuration
from tests.changeset.loading import EXAMPLES, items_of

_SETTINGS = load_configuration(EXAMPLES / "syncengine.yaml", {})
_TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="{"), min_size=1, max_size=30).filter(
    lambda text: not is_blank(text)
)
_LEADS = st.integers(min_value=1, max_value=10**18).map(str)
_CHANGE = st.fixed_dictionaries(
    {"update": st.dictionaries(st.sampled_from(["postcode", "c1", "c2"]), _TEXT, min_size=1)},
    optional={
        "trigger": st.lists(st.sampled_from(["1053", "1054", "2001"]), min_size=1, unique=True),
        "financials": st.fixed_dictionaries({"payout": st.sampled_from(["1", "80.00", "0.5"])}),
        "rerun": st.just(2),
    },
).map(lambda change: change if "trigger" in change else {k: v for k, v in change.items() if k != "rerun"})
_CHANGES = st.dictionaries(_LEADS, _CHANGE, min_size=1, max_size=4)


def _yaml(value: object) -> str:
    """JSON is YAML, but for characters beyond the first plane, which YAML escapes in one piece."""
    text = json.dumps(value, ensure_ascii=False)
    return re.sub("[^\x20-\x7e]", lambda match: f"\\U{ord(match.group()):08x}", text)


def _document(changes: list[dict[str, object]]) -> str:
    """Every text is quoted."""
    return _yaml({"version": 1, "changeset": "a-changeset", "account": "lenient", "changes": changes})


def _ids(text: str, name: str, around: Settings) -> set[str]:
    with tempfile.TemporaryDirectory(dir=around.root) as folder:
        file = Path(folder) / name
        file.write_text(text, encoding="utf-8")
        items = items_of(load([file], around, variables={}))
    return {operation_id("acme", item.changeset, operation) for item in items for operation in item.operations}


@settings(max_examples=40, deadline=None)
@given(_CHANGES, st.randoms(use_true_random=False))
def test_identity_ignores_file_names_order_labels_and_comments(changes: dict[str, dict[str, object]], random) -> None:
    listed = [{"lead": lead, **change} for lead, change in changes.items()]
    shuffled = [{"id": f"label {number}", **change} for number, change in enumerate(listed)]
    random.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "syncengine.yaml").write_bytes((EXAMPLES / "syncengine.yaml").read_bytes())
        (Path(folder) / "lead.schema.json").write_bytes((EXAMPLES / "lead.schema.json").read_bytes())
        around = load_configuration(Path(folder) / "syncengine.yaml", {})
        one = _ids(_document(listed), "one.yaml", around)
        other = _ids(f"# a comment\n{_document(shuffled)}\n# and another\n", "other.yml", around)
    assert one == other


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdef"), _TEXT, min_size=1))
def test_texts_leave_as_they_are_typed_wherever_they_come_from(fields: dict[str, str]) -> None:
    documents = [
        {"changes": [{"lead": "7", "update": fields}]},
        {
            "sources": {"rows": [{**fields, "lead": "7"}]},
            "changes": [
                {
                    "for_each": "rows",
                    "lead": "{{ row.lead }}",
                    "update": {name: f"{{{{ row.{name} }}}}" for name in fields},
                }
            ],
        },
        {
            "vars": fields,
            "changes": [{"lead": "7", "update": {name: f"{{{{ vars['{name}'] }}}}" for name in fields}}],
        },
    ]
    with tempfile.TemporaryDirectory() as folder:
        for number, document in enumerate(documents):
            head = {"version": 1, "changeset": f"number-{number}", "account": "acme"}
            (Path(folder) / f"{number}.yaml").write_text(_yaml({**head, **document}), encoding="utf-8")
        sent = [values_of(item.operations[0]) for item in items_of(load([Path(folder)], _SETTINGS, variables={}))]
    assert sent == [fields] * 3
