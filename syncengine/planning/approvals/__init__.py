"""Approvals: SSH signatures over a plan's digest, and the check that enough people signed. See docs/approvals.md."""

from syncengine.planning.approvals.authorize import authorize, no_signers, require_signer, would_count
from syncengine.planning.approvals.claims import checked_claim
from syncengine.planning.approvals.files import NAMESPACE, add_approval, approval_path, repository_path, signed_text
from syncengine.planning.approvals.ssh_keygen import Keygen
from syncengine.planning.approvals.verify import (
    Approval,
    ApprovalRequest,
    Approvals,
    look_at_approvals,
    missing_named,
)

__all__ = [
    "NAMESPACE",
    "Approval",
    "ApprovalRequest",
    "Approvals",
    "Keygen",
    "add_approval",
    "approval_path",
    "authorize",
    "checked_claim",
    "look_at_approvals",
    "missing_named",
    "no_signers",
    "repository_path",
    "require_signer",
    "signed_text",
    "would_count",
]
