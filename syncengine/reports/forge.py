"""Links to files at a commit on the forge that a repository is kept on: GitHub and GitLab."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote, urlsplit

import msgspec

_SCP = re.compile(r"(?:[^@/:]+@)?([A-Za-z0-9.-]+):(?!//)(.+)")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?")
_REPOSITORY = re.compile(r"[A-Za-z0-9_.~-]+(?:/[A-Za-z0-9_.~-]+)+")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHEETS = (".xlsx", ".ods")


def _is_inside(file: str) -> bool:
    """Whether a path is a file of the repository, and no sheet of a workbook ("a.xlsx sheet 2")."""
    outside = file.startswith(("/", "../")) or "/../" in f"/{file}/"
    sheet = file.lower().rpartition(".")[2].startswith(("xlsx ", "ods "))
    return file.isprintable() and not outside and not sheet


class Forge(msgspec.Struct, frozen=True, kw_only=True):
    """Where the repository is on the web. `folder` is the part of it that paths are relative to, "" or "leads/"."""

    kind: Literal["github", "gitlab"]
    url: str
    folder: str = ""

    def link(self, commit: str, file: str, line: int = 0) -> str:
        """The address of a line at a commit; "" where there is none: a file outside, or no commit."""
        if not _COMMIT.fullmatch(commit) or not _is_inside(file):
            return ""
        between = "/blob/" if self.kind == "github" else "/-/blob/"
        mark = f"#L{line}" if line and not file.lower().endswith(_SHEETS) else ""
        return f"{self.url}{between}{commit}/{quote(self.folder + file, safe='/')}{mark}"


def find_forge(environ: Mapping[str, str], origin: str, folder: str) -> Forge | None:
    """By the variables of CI, else by the address of the remote `origin`, of which user and password are left out.

    `folder` is where in the repository the paths begin.
    """
    found = _of_ci(environ) or _of_remote(origin)
    return None if found is None else msgspec.structs.replace(found, folder=folder)


def html_artifact(environ: Mapping[str, str]) -> str:
    """The page of this CI run, where its HTML artifact is offered; "" outside CI."""
    forge = _of_ci(environ)
    if forge is None:
        return ""
    run = environ.get("GITHUB_RUN_ID", "") if forge.kind == "github" else environ.get("CI_JOB_ID", "")
    if not run.isascii() or not run.isdigit():
        return ""
    if forge.kind == "github":
        return f"{forge.url}/actions/runs/{run}#artifacts"
    return f"{forge.url}/-/jobs/{run}/artifacts/browse"


def _of_ci(environ: Mapping[str, str]) -> Forge | None:
    if environ.get("GITHUB_REPOSITORY"):
        server = environ.get("GITHUB_SERVER_URL") or "https://github.com"
        return _forge("github", f"{server}/{environ['GITHUB_REPOSITORY']}")
    if environ.get("CI_PROJECT_URL"):
        return _forge("gitlab", environ["CI_PROJECT_URL"])
    return None


def _of_remote(remote: str) -> Forge | None:
    scp = _SCP.fullmatch(remote)
    address = f"ssh://{scp[1]}/{scp[2]}" if scp is not None else remote
    try:
        host = (urlsplit(address).hostname or "").lower()
    except ValueError:
        return None
    labels = re.split(r"[.-]", host)
    if "github" in labels:
        return _forge("github", address)
    return _forge("gitlab", address) if "gitlab" in labels else None


def _forge(kind: Literal["github", "gitlab"], address: str) -> Forge | None:
    """Only host and path are taken over, and only where they are plain."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    # A port of SSH is not one of the web.
    web = parts.scheme in ("http", "https")
    place = f"{host}:{port}" if web and port else host
    path = parts.path.strip("/").removesuffix(".git")
    if not _HOST.fullmatch(place) or not _REPOSITORY.fullmatch(path):
        return None
    return Forge(kind=kind, url=f"{'http' if parts.scheme == 'http' else 'https'}://{place}/{path}")
