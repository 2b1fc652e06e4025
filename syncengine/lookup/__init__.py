"""Lead ids for a table of e-mail addresses or phone numbers. Sends searches only, each once, and writes one file."""

from syncengine.lookup.asking import Asker
from syncengine.lookup.progress_file import ProgressBinding, ProgressFile, RowMatch
from syncengine.lookup.result_table import ADDED, LookupSummary, result_lines
from syncengine.lookup.rows import Lookup, LookupWanted
from syncengine.lookup.table import LookupTable, open_table

__all__ = [
    "ADDED",
    "Asker",
    "Lookup",
    "LookupSummary",
    "LookupTable",
    "LookupWanted",
    "ProgressBinding",
    "ProgressFile",
    "RowMatch",
    "open_table",
    "result_lines",
]
