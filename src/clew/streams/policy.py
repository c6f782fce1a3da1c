"""What happens when a record fails. A small frozen value, passed as ``on_failure``."""

from __future__ import annotations


class Policy:
    """What a stream handler does with a record that failed."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "name", name)

    name: str

    def __setattr__(self, name: str, value: object) -> None:
        message = "a policy cannot be changed; make another one"
        raise AttributeError(message)

    def __repr__(self) -> str:
        return f"{self.name}()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


def halt() -> Policy:
    """Stop at the first failure and raise it, unchanged.

    The event source mapping then delivers the batch again, the records before the failure too,
    until its own limits (retry attempts, record age) are reached.
    """
    return Policy("halt")


def skip() -> Policy:
    """Log the failure as an ERROR with the record's own ids, and go on with the next record.

    The record is lost to this function. Its invocation still counts as a success.
    """
    return Policy("skip")
