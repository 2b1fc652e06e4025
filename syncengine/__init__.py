"""Reviewed, at-most-once changes to live LeadByte leads."""

__version__ = "0.1.0"
