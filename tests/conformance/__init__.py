"""The contract of an event source mapping as a table of cases, and what keeps to it.

`cases` is the contract, as data; `engines` run a case, in clew's worker or in the emulator's own
mappings. ``python -m tests.conformance`` runs both and writes the table of the documentation.
"""
