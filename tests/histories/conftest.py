from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A folder with a configuration, a sandbox that knows every lead, and the command line."""
    with Bench(tmp_path) as made:
        made.found()
        yield made
