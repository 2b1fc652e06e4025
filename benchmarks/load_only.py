"""Loads changesets as plan does, and nothing more: what `literal YAML` costs."""

from __future__ import annotations

import sys
from pathlib import Path

from syncengine.changeset.load import load
from syncengine.documents.configuration import find_configuration, load_configuration

if __name__ == "__main__":
    settings = load_configuration(find_configuration(Path.cwd(), None, {}).path, {}, None)
    loaded = load([Path(sys.argv[1])], settings, variables={})
    sys.exit(bool([problem for problem in loaded.problems if problem.severity == "error"]))
