"""Approvals: SSH signatures over a plan's digest, and the check that enough people signed. See docs/approvals.md."""

from syncengine.planning.approvals.authorize import ApprovalRequest, authorize, would_count
from syncengine.planning.approvals.files import NAMESPACE, add_approval, approval_path, signed_text
from syncengine.planning.approvals.ssh_keygen import Keygen
from syncengine.planning.approvals.verify import Approval, ApprovalCheck, Approvals, look_at_approvals, missing_named

__all__ = [
    "NAMESPACE",
    "Approval",
    "ApprovalCheck",
    "ApprovalRequest",
    "Approvals",
    "Keygen",
    "add_approval",
    "approval_path",
    "authorize",
    "look_at_approvals",
    "missing_named",
    "signed_text",
    "would_count",
]
