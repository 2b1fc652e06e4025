"""The command line: parse, wire, run, exit. Nothing is imported here, so that every verb pays only for itself."""
