"""A store of log lines in one file: SQLite, with an index of ids and one of words.

::

    with Store("logs.db", write=True) as store:
        store.add([Entry(at_ms, "/aws/lambda/orders", stream, message)])
        story = find_story(store, "4f0c1f0e")
        errors = store.search(Query(level="ERROR", text="card declined"))
"""

from __future__ import annotations

from clew.stories.store.batch import Entry, Keyed
from clew.stories.store.errors import StoreBusyError, StoreError
from clew.stories.store.reading import Found
from clew.stories.store.search import Page, Query
from clew.stories.store.stats import Stats
from clew.stories.store.store import Added, Store

__all__ = [
    "Added",
    "Entry",
    "Found",
    "Keyed",
    "Page",
    "Query",
    "Stats",
    "Store",
    "StoreBusyError",
    "StoreError",
]
