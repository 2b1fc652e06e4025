"""Read-only checks: applied values against the service's current ones, and whether a set-up can work.

`Verification` reads back what a run applied, `drift` compares last applied values with the leads' current ones, and the
modules of `doctor` check configuration, ledger, service and machine.
"""

from syncengine.checking.drift import CountedReading, DriftLine, drift
from syncengine.checking.observed_comparison import Compared, Seen
from syncengine.checking.verify import LATE, CheckedOperation, Mark, ReadPatience, Verification

__all__ = [
    "LATE",
    "CheckedOperation",
    "Compared",
    "CountedReading",
    "DriftLine",
    "Mark",
    "ReadPatience",
    "Seen",
    "Verification",
    "drift",
]
