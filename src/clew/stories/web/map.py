"""The service map: a drawing of what really went from where to where."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.stories.web import words
from clew.stories.web.entry import cut
from clew.stories.web.lately import AGES, Lately, lately
from clew.stories.web.layout import layers
from clew.stories.web.render import page
from clew.stories.web.traffic import FUNCTION

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from clew.stories.web.traffic import Node

#: In user units of the drawing.
BOX, HIGH, GAP_X, GAP_Y, EDGE, BACK = 192, 52, 96, 26, 14, 44
MAX_NODES = 120
_CHARACTERS = 22


@dataclass(frozen=True, slots=True)
class Box:
    """A node, drawn."""

    x: float
    y: float
    kind: str
    tone: str
    name: str
    full: str
    told: str
    url: str


@dataclass(frozen=True, slots=True)
class Curve:
    """A link, drawn."""

    path: str
    tone: str
    width: int  # a class of the stylesheet, 1 to 4
    x: float
    y: float
    told: str
    failed: str
    title: str


def service_map(request: Request) -> Response:
    """``/map``."""
    found = lately(request)
    boxes, curves, width, height = drawn(found)
    return page(
        request, "map.html", found=found, ages=AGES, boxes=boxes, curves=curves,
        width=width, height=height, box=BOX, high=HIGH,
        hidden=max(len(found.traffic.nodes) - MAX_NODES, 0),
    )  # fmt: skip


def drawn(found: Lately) -> tuple[list[Box], list[Curve], int, int]:
    """The drawing, and its size."""
    ordered = sorted(found.traffic.nodes, key=lambda one: (-one.count, one.key))[:MAX_NODES]
    nodes = {one.key: one for one in sorted(ordered, key=lambda one: one.key)}
    places = layers(list(nodes), ((one.start, one.end) for one in found.traffic.links))
    rows = Counter(place.layer for place in places.values())
    tallest = max(rows.values(), default=1)
    height = tallest * (HIGH + GAP_Y) - GAP_Y + 2 * EDGE
    boxes = {}
    for key, place in places.items():
        own = rows[place.layer] * (HIGH + GAP_Y) - GAP_Y
        x = EDGE + place.layer * (BOX + GAP_X)
        y: float = (height - own) / 2 + place.row * (HIGH + GAP_Y)
        boxes[key] = _box(nodes[key], x, y, found)
    curves = []
    low = 0  # where what leads back is drawn, below all boxes
    for one in found.traffic.links:
        if one.start in boxes and one.end in boxes and one.start != one.end:
            start, end = boxes[one.start], boxes[one.end]
            told = words.rate(one.count / found.seconds)
            if one.p50 is not None:
                told += f" · {words.length(one.p50)}"
            failed = f"{words.count(one.errors)} failed" if one.errors else ""
            title = f"{start.full} to {end.full}: {one.count:,}"
            title += f", {one.errors:,} failed" if one.errors else ""
            title += f", {words.length(one.p50)} on the way" if one.p50 is not None else ""
            if end.x <= start.x:
                low = height + BACK
            path, middle, over = _path(start, end, low)
            tone = "bad" if one.errors else "ok"
            curves.append(Curve(path, tone, _width(one.count), middle, over, told, failed, title))
    layered = max((place.layer for place in places.values()), default=0) + 1
    width = layered * (BOX + GAP_X) - GAP_X + 2 * EDGE
    return list(boxes.values()), curves, width, round(max(height, low))


def _box(node: Node, x: float, y: float, found: Lately) -> Box:
    told = [node.kin, words.rate(node.count / found.seconds), words.length(node.p50)]
    if node.errors:
        told.append(f"{words.count(node.errors)} failed")
    is_function = node.kind == FUNCTION
    where = words.url("/", {"function": node.name, "since": found.age}) if is_function else ""
    tone = "bad" if node.errors else "ok"
    name = node.name or "a function"
    full = cut(f"{node.kin} {name}".strip(), 300)
    return Box(x, y, node.kind, tone, _short(name), full, " · ".join(filter(None, told)), where)


def _short(name: str) -> str:
    if len(name) <= _CHARACTERS:
        return name
    half = _CHARACTERS // 2
    return f"{name[:half]}…{name[1 - half :]}"


def _path(start: Box, end: Box, low: float) -> tuple[str, float, float]:
    """A curve from one box to another, and where its middle is."""
    if end.x > start.x:
        x1, y1 = start.x + BOX, start.y + HIGH / 2
        x2, y2 = end.x, end.y + HIGH / 2
        bend = max((x2 - x1) / 2, 30)
        path = f"M{x1:.0f} {y1:.0f}C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f}"
        return f"{path} {x2:.0f} {y2:.0f}", (x1 + x2) / 2, (y1 + y2) / 2
    x1, y1 = start.x + BOX * 0.6, start.y + HIGH
    x2, y2 = end.x + BOX * 0.4, end.y + HIGH
    path = f"M{x1:.0f} {y1:.0f}C{x1:.0f} {low:.0f} {x2:.0f} {low:.0f} {x2:.0f} {y2:.0f}"
    return path, (x1 + x2) / 2, (y1 + y2) / 8 + 0.75 * low


def _width(number: int) -> int:
    return 1 if number < 10 else 2 if number < 100 else 3 if number < 1000 else 4
