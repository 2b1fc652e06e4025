"""Reads changeset files and their sources into items: the operations requested for each lead.

Used by the layers above it; it imports none of its siblings.
"""
