"""Codes of diagnostics: each listed once, each used, and their document current."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import syncengine
from syncengine.core import codes
from syncengine.core.codes import CODES

PACKAGE = Path(syncengine.__file__).parent
ROOT = PACKAGE.parent
TABLE = Path(codes.__file__)


def test_every_code_in_the_package_is_listed_and_every_listed_code_is_used() -> None:
    used = {
        code
        for path in PACKAGE.rglob("*.py")
        if path != TABLE
        for code in re.findall(r"\bSE\d{3}\b", path.read_text(encoding="utf-8"))
    }
    assert used == CODES.keys()


def test_each_code_stands_once_in_order_and_means_something_of_its_own() -> None:
    tree = ast.parse(TABLE.read_text(encoding="utf-8"))
    (table,) = [node for node in ast.walk(tree) if isinstance(node, ast.Dict)]
    written = [key.value for key in table.keys if isinstance(key, ast.Constant)]
    assert written == sorted(set(written)) == list(CODES)
    assert [sentence for sentence, count in Counter(CODES.values()).items() if count > 1] == []
    assert all(sentence.endswith(".") and "|" not in sentence for sentence in CODES.values())


def test_the_document_of_the_codes_is_current() -> None:
    command = [sys.executable, ROOT / "scripts" / "generate-docs", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
