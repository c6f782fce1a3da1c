"""Who there is. It stands in for a database."""

from __future__ import annotations

from typing import Any

AUTHORS: dict[str, dict[str, Any]] = {
    "tywin": {"id": "author-1", "followers": ["cersei", "jaime"]},
    "olenna": {"id": "author-2", "followers": ["margaery", "tywin"]},
}

NAMES = {
    "cersei": "Cersei Lannister",
    "jaime": "Jaime Lannister",
    "jaqen": None,  # a broken profile: a man has no name
    "margaery": "Margaery Tyrell",
    "olenna": "Olenna Tyrell",
    "tywin": "Tywin Lannister",
}
