"""Tables in files: CSV, JSON Lines, Parquet, XLSX and ODS, read by the same rules wherever the product takes one.

Changesets (`sources`), `import`, observed exports and the sandbox's leads read through here; nothing here knows them.
"""
