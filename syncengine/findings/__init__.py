"""What a reviewer is shown first: every rule that looks for mistakes in a plan. Values in, findings out; pure.

For planning and the layers above it; it knows documents and core.
"""

from syncengine.core.finding import Evidence, Finding, Severity
from syncengine.findings.fold import FindingsFold

__all__ = ["Evidence", "Finding", "FindingsFold", "Severity"]
