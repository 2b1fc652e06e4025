"""The command line: parse, wire, run, exit. Nothing is imported here, so that every command pays only for itself.

No package imports it.
"""
