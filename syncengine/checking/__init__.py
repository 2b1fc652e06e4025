"""Looking, never sending: what was applied against what the service holds, and whether a set-up can work.

`Verification` reads back what a run applied, `drift` compares last values with what leads hold now, and the modules of
`doctor` judge configuration, ledger, service and machine.
"""

from syncengine.checking.drift import DriftLine, Sights, drift
from syncengine.checking.kept import Kept
from syncengine.checking.observed_comparison import Compared, LeadReading, Seen
from syncengine.checking.verify import LATE, CheckedOperation, Mark, ReadPatience, Verification

__all__ = [
    "LATE",
    "CheckedOperation",
    "Compared",
    "DriftLine",
    "Kept",
    "LeadReading",
    "Mark",
    "ReadPatience",
    "Seen",
    "Sights",
    "Verification",
    "drift",
]
