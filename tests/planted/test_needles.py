"""The search finds what it is for: a search that cannot find proves nothing."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from .needles import KEY, VALUES, Search

TEXTS = [KEY, *VALUES.values()]


@pytest.mark.parametrize("text", TEXTS)
def test_every_form_is_found_wherever_it_stands(text: str, tmp_path: Path) -> None:
    raw = text.encode()
    leaks = [
        raw,
        b"x" + raw + b"y",
        quote(text).encode(),
        quote(text, safe="").encode(),
        raw.hex().encode(),
        json.dumps({"a": text}).encode(),
        json.dumps({"a": text}, ensure_ascii=False).encode(),
        repr({"a": text}).encode(),
        text.encode("utf-16"),
        *(base64.b64encode(b"#" * before + raw + b"#" * after) for before in range(4) for after in range(4)),
        *(
            base64.urlsafe_b64encode(b"\xff" * before + raw + b"\xfe" * after)
            for before in range(3)
            for after in (0, 1)
        ),
    ]
    for number, leak in enumerate(leaks):
        (tmp_path / f"leak{number}").write_bytes(b"\0\x01" + leak + b"\xff")
        search = Search({"it": text})
        search.look_into(tmp_path)
        assert search.found, leak
        (tmp_path / f"leak{number}").unlink()


def test_what_is_left_out_is_left_out_and_the_rest_is_not(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a").write_text(KEY)
    (tmp_path / "b").write_text("KEY")
    search = Search({"key": KEY})
    search.look_into(tmp_path, apart_from=[tmp_path / "own"])
    assert search.found == []
    (tmp_path / "c").write_text(KEY)
    search.look_into(tmp_path, apart_from=[tmp_path / "own"])
    assert len(search.found) == 1
