"""Where the nodes of a graph stand: in layers from left to right, with few crossings. Pure.

A node stands right of what leads to it, but for links that close a circle. Within a layer, nodes
are put where their neighbours are (the barycenter heuristic of Sugiyama's method).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_SWEEPS = 6


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands."""

    layer: int
    row: int


def layers(nodes: Sequence[str], links: Iterable[tuple[str, str]]) -> dict[str, Place]:
    """The place of every node; rows of a layer begin at 0."""
    known = set(nodes)
    pairs = sorted({(a, b) for a, b in links if a != b and a in known and b in known})
    ahead = _without_circles(nodes, pairs)
    layer = _layers(nodes, ahead)
    columns: dict[int, list[str]] = defaultdict(list)
    for node in nodes:
        columns[layer[node]].append(node)
    near: dict[str, list[str]] = defaultdict(list)
    for a, b in pairs:
        near[a].append(b)
        near[b].append(a)
    ordered = [columns[number] for number in sorted(columns)]
    places = {node: place for column in ordered for node, place in _rows(column)}
    for sweep in range(_SWEEPS):
        for column in ordered if sweep % 2 == 0 else ordered[::-1]:
            column.sort(key=lambda node: (_middle(node, near, places), node))
            places.update(_rows(column))
    return {
        node: Place(number, row)
        for number, column in enumerate(ordered)
        for row, node in enumerate(column)
    }


def _rows(column: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Each node of a layer with how far down it is, from 0 to 1."""
    return ((node, (row + 0.5) / len(column)) for row, node in enumerate(column))


def _middle(node: str, near: Mapping[str, Sequence[str]], places: Mapping[str, float]) -> float:
    around = near.get(node, ())
    return sum(places[one] for one in around) / len(around) if around else places[node]


def _without_circles(
    nodes: Sequence[str], pairs: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """The links that do not lead back to a node on the way to it. Does not recurse."""
    out: dict[str, list[str]] = defaultdict(list)
    incoming: dict[str, int] = defaultdict(int)
    for a, b in pairs:
        out[a].append(b)
        incoming[b] += 1
    state: dict[str, int] = {}  # 1: on the way, 2: done
    back: set[tuple[str, str]] = set()
    for top in sorted(nodes, key=lambda one: incoming[one]):
        if top in state:
            continue
        state[top] = 1
        stack = [(top, iter(out[top]))]
        while stack:
            node, rest = stack[-1]
            below = next(rest, None)
            if below is None:
                state[node] = 2
                stack.pop()
            elif state.get(below) == 1:
                back.add((node, below))
            elif below not in state:
                state[below] = 1
                stack.append((below, iter(out[below])))
    return [pair for pair in pairs if pair not in back]


def _layers(nodes: Sequence[str], ahead: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The longest way to each node."""
    out: dict[str, list[str]] = defaultdict(list)
    incoming: dict[str, int] = defaultdict(int)
    for a, b in ahead:
        out[a].append(b)
        incoming[b] += 1
    layer = dict.fromkeys(nodes, 0)
    ready = [node for node in nodes if not incoming[node]]
    while ready:
        node = ready.pop()
        for below in out[node]:
            layer[below] = max(layer[below], layer[node] + 1)
            incoming[below] -= 1
            if not incoming[below]:
                ready.append(below)
    return layer
