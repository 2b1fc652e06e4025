from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncengine.sandbox import Sandbox, SandboxOptions
from tests.ci.pipeline import Pipeline
from tests.ci.runner_github import GitHub
from tests.ci.runner_gitlab import GitLab
from tests.ci.stand_in import Forge, stand_in
from tests.ci.team import Team
from tests.postgres_server import PostgresServer, postgres_server

__all__ = ["postgres_server"]


@pytest.fixture
def team(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[Team]:
    with Sandbox(SandboxOptions(state=tmp_path / "service", any_lead=True)).start() as sandbox:
        yield Team(tmp_path, sandbox, postgres_server.new_database())


@pytest.fixture
def forge() -> Iterator[Forge]:
    with stand_in() as running:
        yield running


@pytest.fixture(params=["github", "gitlab"])
def system(request: pytest.FixtureRequest) -> str:
    """Which forge the repository is on."""
    return str(request.param)


@pytest.fixture
def signatures() -> bool:
    """Whether the policy asks for signatures."""
    return True


@pytest.fixture
def pipeline(system: str, signatures: bool, team: Team, forge: Forge, tmp_path: Path) -> Pipeline:
    """A repository with the workflow that `init --ci` writes, pushed to a bare remote, and what runs that workflow."""
    team.found(system, signatures=signatures)
    place = tmp_path / "runner"
    place.mkdir()
    return GitHub(team, place, forge) if system == "github" else GitLab(team, place, forge)
