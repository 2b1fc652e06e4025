"""Titles, descriptions and ids are published, so that no e-mail address or phone number may stand in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.console import run_inside

SETTINGS = 'version: 1\naccounts:\n  acme: {base_url: "http://127.0.0.1:9", api_key: env:LEADBYTE_API_KEY}\n'
CHANGESET = """\
version: 1
changeset: %(changeset)s
account: acme
title: "%(title)s"
description: "%(description)s"
changes:
- {id: "%(id)s", lead: "1", update: {c1: x}}
"""
PLAIN = {"changeset": "repair", "title": "Repair", "description": "Some postcodes", "id": "first"}


def codes(root: Path, **parts: str) -> list[str]:
    (root / "syncengine.yaml").write_text(SETTINGS)
    (root / "a.yaml").write_text(CHANGESET % (PLAIN | parts))
    return [each["code"] for each in run_inside("validate", "a.yaml", "--format", "json", cwd=root).json["diagnostics"]]


@pytest.mark.parametrize("part", ["title", "description", "id"])
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("for joe.blogs@mail.co.uk", "SE238"), ("Zoë <zoë@mail.de>", "SE238"), ("call +44 7700 900123", "SE239"),
        ("07700900123", "SE239"), ("(00447700900123)", "SE239"), ("020 7946 0958 is wrong", "SE239"),
        ("joe-07700900123", "SE239"), ("Joe/07700 900123", "SE239"),
    ],
)  # fmt: skip
def test_personal_data_is_refused_where_it_would_be_published(tmp_path: Path, part: str, text: str, code: str) -> None:
    assert codes(tmp_path, **{part: text}) == [code]


@pytest.mark.parametrize(
    "text",
    ["Repair @ 09:00", "2026-09-01 - 2026-09-30", "01-09-2026 to 30-09-2026", "01-09-2026", "lead 2932682932682",
     "0123456789abcdef", "order 1001002003", "v0.12.3", "00 to 99", "0.5 % of 1,000,000"],
)  # fmt: skip
def test_dates_numbers_and_digests_are_no_personal_data(tmp_path: Path, text: str) -> None:
    assert codes(tmp_path, title=text, description=text) == []


def test_an_address_as_the_changesets_id(tmp_path: Path) -> None:
    assert "SE238" in codes(tmp_path, changeset="joe@mail.co.uk")
