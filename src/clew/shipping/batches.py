"""Lines into requests that a sink takes. Pure: nothing is lost, nothing comes twice, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.shipping.lines import Line

T = TypeVar("T")


class Parcel(NamedTuple):
    """A line as a sink has packed it."""

    line: Line
    data: bytes


def requests_of(parcels: Iterable[Parcel], most: int, max_bytes: int) -> Iterator[list[Parcel]]:
    """Parcels in requests of ``most`` at most, and of ``max_bytes`` together.

    One that is larger by itself goes alone: whether it is too large is the sink's to say.
    """
    request: list[Parcel] = []
    size = 0
    for parcel in parcels:
        own = len(parcel.data)
        if request and (len(request) >= most or size + own > max_bytes):
            yield request
            request, size = [], 0
        request.append(parcel)
        size += own
    if request:
        yield request


def halves(whole: list[T]) -> tuple[list[T], list[T]]:
    """A request that was too large, or has one in it that is refused, in two."""
    middle = (len(whole) + 1) // 2
    return whole[:middle], whole[middle:]
