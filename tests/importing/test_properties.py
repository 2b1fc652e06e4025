"""Any values of a body come out of the changeset as the characters that went in."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.changeset.load import load
from syncengine.core.operations import Update
from syncengine.core.settings import Account, LedgerPin, Policy, Settings
from syncengine.core.text import is_blank
from syncengine.importing import changeset_text, fitted, parse_request
from syncengine.importing.curl import parse_curl

ACCOUNT = Account(name="acme", identity="acme", base_url="http://127.0.0.1", host="loopback")
NAMES = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=12)
VALUES = st.text(
    st.one_of(
        st.sampled_from("{}%#'\"\\ \n\t:-&*!|>row.vars"),
        st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Z")),
    ),
    min_size=1,
    max_size=60,
).filter(lambda text: not is_blank(text))  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4))
def test_fields(fields: dict[str, str]) -> None:
    body = json.dumps({"leads": [{"id": "1", "update": fields}]})
    imported = fitted(parse_request(body, "request.json"), ACCOUNT, "request.json")
    text = "".join(changeset_text(imported, changeset="again", account="acme", label="request.json"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "again.yaml")
        path.write_text(text, encoding="utf-8")
        known = Settings(
            file="syncengine.yaml", root=folder, accounts={"acme": ACCOUNT}, ledger=LedgerPin(), policy=Policy()
        )
        loaded = load([path], known, variables={})
        assert loaded.problems == ()
        found: list[object] = []
        (item,) = loaded.changesets[0].items(found.append)
        assert found == []
    assert item.operations == (Update("1", fields),)  # type: ignore[arg-type]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_a_command_is_read_or_refused(tail: str) -> None:
    from syncengine.core.errors import InputError

    try:
        call = parse_curl(f"curl -X PUT {tail}", "call.sh").call
    except InputError as refused:
        call = refused.code  # type: ignore[assignment]
    assert call in ("leads", "leadfinancials", "SE361")
