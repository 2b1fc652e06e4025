"""Distributed apply: shards of an approved plan, carried out by workers on any number of machines.

The only importer of the job engine. What is in a shard goes through the same executor and ledger as apply.
For the command line alone.
"""
