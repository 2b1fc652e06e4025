"""Changeset files and their sources become items: what is asked of each lead.

For the layers above it; it knows none of its siblings.
"""
