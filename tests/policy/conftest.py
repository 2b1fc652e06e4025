from __future__ import annotations

from tests.approvals.conftest import repository, sandbox

__all__ = ["repository", "sandbox"]
