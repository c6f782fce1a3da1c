"""Who there is. It stands in for a database."""

from __future__ import annotations

AUTHORS = {
    "tywin": {"id": "author-1", "followers": ["cersei", "jaime"]},
    "olenna": {"id": "author-2", "followers": ["margaery", "tywin"]},
}

NAMES = {
    "cersei": "Cersei Lannister",
    "jaime": "Jaime Lannister",
    "jaqen": "Jaqen H'ghar",
    "margaery": "Margaery Tyrell",
    "olenna": "Olenna Tyrell",
    "tywin": "Tywin Lannister",
}


def new_person(name: str, joined_at: float) -> str:
    """The id of somebody who joined at ``joined_at`` (seconds since the epoch); the id says so."""
    return f"{name}-{int(joined_at)}"


def name_and_joined_at(person: str) -> tuple[str, int]:
    """What an id says: the name that somebody goes by, and when they joined (0: long ago)."""
    name, _, joined_at = person.rpartition("-")
    return (name, int(joined_at)) if name and joined_at.isdecimal() else (person, 0)
