"""Readers of table files: CSV, JSON Lines, Parquet, XLSX and ODS, with the same rules for every use.

Used by changesets (`sources`), `import`, observed exports and the sandbox's leads; this package knows none of them.
"""
