"""The public Python API, and the one place where the real parts are put together: load, plan, apply.

    from syncengine import Project, load, plan, apply

    project = Project.open()                      # syncengine.yaml here or in a parent folder
    loaded = load(["specs/"], project)            # raises InputError with every problem
    planned = plan(loaded, project, out="release.plan")
    result = apply("release.plan", project)       # sends exactly what the file says

Errors are `syncengine.core.errors.SyncError`; `exit` on an error or a result is the command line's exit code.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec

from syncengine import __version__
from syncengine.applying import ApplyRequest, World, apply_plan
from syncengine.applying.preflight import wire_digest
from syncengine.applying.stopping import StopSignal
from syncengine.changeset.duplicates import Claims
from syncengine.changeset.load import Loaded
from syncengine.changeset.load import load as load_changesets
from syncengine.core.clock import Clock, SystemClock
from syncengine.core.errors import ConfigError, InputError, Refusal
from syncengine.core.guards import check_applicable, check_host, check_pin, key_warning
from syncengine.core.plan import PlanHeader, PlanSummary, Provenance
from syncengine.core.ports import LedgerView, LedgerWriter, Listener, RunRecord
from syncengine.core.results import RunResult
from syncengine.core.settings import Account, Settings
from syncengine.documents.configuration import find_configuration, load_configuration
from syncengine.ledger import create_ledger, open_ledger, open_view
from syncengine.planning import PlanFile, PlanRequest, PlanWriter, build_plan, open_plan
from syncengine.planning.planfile import FORMAT
from syncengine.planning.policy import PolicyJudge
