"""Reads files into validated trees with line numbers. The only package that parses YAML, JSON Schema and templates.

Imports core only; every package above may import it, core never.
"""
