"""Looking, never sending: what was applied against what the service holds, and whether a set-up can work.

`Verification` reads back what a run applied, `drift` compares last values with what leads hold now, and the modules of
`doctor` judge configuration, ledger, service and machine.
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
