"""Distributed apply: workers on any number of machines execute the shards of an approved plan.

The only package that imports the job engine. Shards go through the same executor and ledger as apply. Used by the
command line only.
"""
