"""Values and rules of the product, without input or output.

Imported by every package; imports none.
"""
