"""Files become checked trees that know their lines; the only door for YAML, JSON Schema and templates.

Imports core only; every package above may import it, core never.
"""
