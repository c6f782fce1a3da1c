"""What :mod:`benchmarks.scaling_policies` found, as text and pictures for the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.scaling_judge import GOALS, ON_DEMAND
from benchmarks.scaling_shapes import PEAK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from benchmarks.scaling_judge import Judged, Point

_MOST_OVER = 1.3
_WIDTH, _HEIGHT, _COLUMNS = 900, 170, 450


def summary(found: list[Judged]) -> str:
    """The choices, the others, and where it does not hold, at both rates for closed shards."""
    parts = []
    for rate, words in ((0.0, "not billed"), (1.0, "billed like open ones until they expire")):
        some = [one for one in found if one.closed_rate == rate]
        if not some:
            continue
        parts += [f"### Closed shards {words}", *_choices(some), "", *_others(some), ""]
        reasons = [f"- **{one.load.name}**: {why}" for one in some for why in why_not(one)]
        parts += ["Where it does not hold:", "", *(reasons or ["- It holds everywhere."]), ""]
    return "\n".join(parts).strip()


def _choices(found: list[Judged]) -> list[str]:
    """A row for each load: what was chosen for each goal, and what came of it."""
    lines = [
        "",
        "Chosen on the first half as the cheapest for a goal, and what came of it on the second:"
        " refused, the bill in dollars, and the bill over the optimum's at the same refused part.",
        "",
        "| load | " + " | ".join(f"refused ≤ {goal:.2%}" for goal in GOALS) + " | nearest to the"
        " optimum | others beaten | sudden |",
        "| --- |" + " --- |" * (len(GOALS) + 3),
    ]
    for one in found:
        cells = [_said(one.choice(goal)) for goal in range(len(GOALS))]
        if one.own != one.choices[0]:
            cells[0] += f" (of clew's own, {_said(one.own_choice)})"
        cells.append(_said(one.nearest_optimum()))
        cells += [f"{len(one.held)} of {len(one.others)}", f"{one.sudden:.1%}"]
        lines.append(f"| {one.load.name} | " + " | ".join(cells) + " |")
    return lines


def _others(found: list[Judged]) -> list[str]:
    """A row for each load: each other's refused part and bill."""
    names = [point.name for point in found[0].others]
    lines = [
        "The others on the same second halves (refused, bill):",
        "",
        "| load | " + " | ".join(names) + " |",
        "| --- |" + " --- |" * len(names),
    ]
    for one in found:
        cells = [f"{point.throttled:.2%}, ${point.usd:,.0f}" for point in one.others]
        lines.append(f"| {one.load.name} | " + " | ".join(cells) + " |")
    return lines


def _said(point: Point) -> str:
    said = f"{point.name}: {point.throttled:.2%}, ${point.usd:,.0f}"
    return said if point.name == ON_DEMAND else f"{said}, {point.over_optimum:.2f} x"


def why_not(one: Judged) -> list[str]:
    """Where the front or the 1.3 does not hold, and why, a sentence each."""
    said = []
    for other in one.others:
        if one.answer(other) is None:
            near = [point for point in one.ours if point.throttled <= other.throttled + 1e-7]
            best = min(near, key=lambda point: point.usd, default=None)
            if best is None:
                why = "no setting chosen on the first half refuses as little on the second"
            else:
                why = f"the cheapest of clew's that refuses no more costs ${best.usd:,.2f}"
                why += f" ({best.name})"
            if other.name == ON_DEMAND:
                why += "; it is what clew recommends here" if _recommended(one) else ""
            said.append(
                f"{other.name} ({other.throttled:.3%} refused, ${other.usd:,.2f}) is not beaten:"
                f" {why}."
            )
    choice, better = one.choice(0), one.better(one.choice(0))
    if better:
        names = ", ".join(
            f"{other.name} ({other.throttled:.3%}, ${other.usd:,.2f})" for other in better
        )
        said.append(
            f"better than the choice for {GOALS[0]:.0%}, {choice.name} ({choice.throttled:.3%}"
            f" refused, ${choice.usd:,.2f}): {names}. {_calmer(one)}".strip()
        )
    own, nearest = one.own_choice, one.nearest_optimum()
    if own.over_optimum > _MOST_OVER:
        said.append(
            f"clew's own choice for {GOALS[0]:.0%}, {own.name}, costs {own.over_optimum:.2f} times"
            f" the optimum ({nearest.name} {nearest.over_optimum:.2f} times). {_sudden(one)}"
        )
    return said


def _calmer(one: Judged) -> str:
    """What to say where the peak that was chosen for did not come again."""
    highest = float(one.load.shards().max())
    if highest >= PEAK / 2:
        return ""
    return (
        f"The highest minute here needs {highest:.1f} shards, that of the first half needed {PEAK}:"
        " room was kept for a peak that did not come again."
    )


def _sudden(one: Judged) -> str:
    return _calmer(one) or (
        f"{one.sudden:.1%} of the load lies above all that the half hour before had seen until"
        " four minutes ago, and only who knows the future has the shards for it without keeping"
        " them all day."
    )


def _recommended(one: Judged) -> bool:
    return ON_DEMAND in one.choices


def picture(one: Judged) -> str:
    """The load, and the shards that our own choice for the first goal and the optimum have."""
    load, point = one.load.shards(), one.own_choice
    top = max(float(load.max()), float(point.open_shards.max()), 1.0)
    top = min(top, 1.5 * float(load.max()) + 1)
    asked = _path(_sparse(load), top)
    name = f"{one.load.name}: {point.name}, {point.throttled:.2%} refused, ${point.usd:,.0f}"
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" \
font-family="sans-serif" font-size="12">
<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>
<path d="M0,{_HEIGHT} {asked.replace("M", "L")} L{_WIDTH},{_HEIGHT}Z" fill="#c9d6e2"/>
<path d="{_path(_sparse(one.best.open_shards), top)}" fill="none" stroke="#8a8a8a"/>
<path d="{_path(_sparse(point.open_shards), top)}" fill="none" stroke="#b4431a" stroke-width="1.3"/>
<text x="6" y="14">{name.replace("≤", "&#8804;")}; shards in red, the optimum's in grey, \
load as an area, {top:.0f} at the top</text>
</svg>
"""


def _sparse(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """The highest of each column."""
    edges = np.linspace(0, len(values), min(_COLUMNS, len(values)) + 1).astype(int)[:-1]
    return np.maximum.reduceat(values, edges)


def _path(values: Iterable[float], top: float) -> str:
    found, low = list(values), _HEIGHT - 20
    step = _WIDTH / max(len(found) - 1, 1)
    points = (
        f"{number * step:.0f},{_HEIGHT - low * min(value / top, 1.0):.0f}"
        for number, value in enumerate(found)
    )
    return "M" + " L".join(points)
