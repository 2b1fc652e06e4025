"""Fixtures of the table tests."""

from pathlib import Path

import pytest

from tests.tables.tables import Tables


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    """A repository for one table and one changeset."""
    return Tables(tmp_path)
