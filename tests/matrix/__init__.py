"""Every carrier, over every way to a function, on the local cloud: what arrived.

``python -m tests.matrix`` runs it and writes the table: docs/reference/matrix.md.
"""
