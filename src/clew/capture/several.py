"""What is asked of several records together, of one kind: in whole passes it costs far less."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clew.capture.as_came import Told
    from clew.capture.record import Record


def open_ahead(records: list[Record]) -> Told | None:
    """Open records that nobody has opened, where that is cheaper than one by one. Never raises.

    What came with them, where that means what it says with all of them.
    """
    return type(records[0])._open_ahead(records)


def longest_chain(records: list[Record]) -> int:
    """The longest call chain of ``records``, of which there is one at least."""
    return type(records[0])._longest_chain(records)


def let_go(records: list[Record]) -> None:
    """Forget what was decoded of ``records``; whoever asks again gets it decoded again."""
    type(records[0])._let_go(records)


class Rows:
    """What the ``invocation`` line says of some records, beside what became of them.

    ``told`` is what came with them; None where nothing did with any of them.
    """

    __slots__ = ("sequence_numbers", "shard_id", "told")

    def __init__(self, shard_id: str, sequence_numbers: list[str], told: Told | None) -> None:
        self.shard_id = shard_id
        self.sequence_numbers = sequence_numbers
        self.told = told


def rows(records: list[Record], told: Told | None = None) -> Rows | None:
    """What there is to say of ``records``, if rows of one kind hold it. Never raises.

    ``told`` is what `open_ahead` gave for these.
    """
    return type(records[0])._rows(records, told)
