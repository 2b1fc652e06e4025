"""A ledger's id is written into a configuration in place; nothing else in the file changes."""

from __future__ import annotations

import pytest

from syncengine.cli.pinning import pin_of, pinned

HEAD = "# a comment\nversion: 1\naccounts:\n  acme: {base_url: http://127.0.0.1:1, api_key: env:LEADBYTE_X} # kept\n"

CASES = {
    "no section": (HEAD, HEAD + "\nledger:\n  id: L1\n"),
    "no section, no line end": (HEAD.rstrip("\n"), HEAD + "\nledger:\n  id: L1\n"),
    "null": (HEAD + "ledger:\n  id: null   # later\n", HEAD + "ledger:\n  id: L1   # later\n"),
    "tilde": (HEAD + "ledger:\n  id: ~\n", HEAD + "ledger:\n  id: L1\n"),
    "nothing": (HEAD + "ledger:\n  id:\n  values: plain\n", HEAD + "ledger:\n  id: L1\n  values: plain\n"),
    "nothing but a comment": (HEAD + "ledger:\n  id: # to come\n", HEAD + "ledger:\n  id: L1 # to come\n"),
    "a quoted key": (HEAD + 'ledger:\n  "id": null\n', HEAD + 'ledger:\n  "id": L1\n'),
    "no id": (
        HEAD + "ledger:\n    # where\n    url: sqlite:///x.db # kept\n",
        HEAD + "ledger:\n    # where\n    id: L1\n    url: sqlite:///x.db # kept\n",
    ),
    "flow without id": (
        HEAD + "ledger: {url: 'sqlite:///x.db'} # kept\n",
        HEAD + "ledger: {id: L1, url: 'sqlite:///x.db'} # kept\n",
    ),
    "flow with null": (
        HEAD + "ledger: {id: null, values: plain}\n",
        HEAD + "ledger: {id: L1, values: plain}\n",
    ),
    "flow with nothing": (HEAD + "ledger: {id: , values: plain}\n", HEAD + "ledger: {id: L1, values: plain}\n"),
    "empty flow": (HEAD + "ledger: {}\n", HEAD + "ledger: {id: L1}\n"),
    "an empty section": (HEAD + "ledger:\n", HEAD + "ledger: {id: L1}\n"),
    "an empty section before others": (
        "version: 1\nledger: null # kept\naccounts: {}\n",
        "version: 1\nledger: {id: L1} # kept\naccounts: {}\n",
    ),
    "carriage returns": (
        "version: 1\r\nledger:\r\n  url: sqlite:///x.db\r\n",
        "version: 1\r\nledger:\r\n  id: L1\r\n  url: sqlite:///x.db\r\n",
    ),
    "all in flow": ('{"version": 1, "accounts": {}}\n', '{ledger: {id: L1}, "version": 1, "accounts": {}}\n'),
}


@pytest.mark.parametrize("name", CASES)
def test_only_the_pin_changes(name: str) -> None:
    before, after = CASES[name]
    assert pinned(before, "L1") == after
    assert pin_of(before) is None
    assert pin_of(after) == "L1"


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "ledger:\n  id: L0\n",
        HEAD + "ledger: {id: 'L0@12'}\n",
        HEAD + "ledger:\n  id: ''\n",
        HEAD + "ledger: [a, list]\n",
        "version: [1\n",
        "",
        "version: 1\n---\nversion: 1\n",
        HEAD + "...\n",
    ],
)
def test_a_pin_is_never_replaced_and_what_is_not_understood_is_left_alone(text: str) -> None:
    assert pinned(text, "L1") is None
