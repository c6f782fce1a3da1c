"""A recommendation on a terminal, and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any

from rich.text import Text

from clew.scaling.simulation.recommend_why import billing, confidence, doubts, how_sure, obstacles
from clew.scaling.simulation.recommend_yaml import streams_yml
from clew.scaling.simulation.report import compare, price_note, summary
from clew.scaling.simulation.report_html import Opening
from clew.scaling.simulation.report_json import line_json
from clew.scaling.simulation.report_text import sparklines, table_of
from clew.scaling.words import usd
from clew.stories.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

    from clew.scaling.simulation.history import History
    from clew.scaling.simulation.recommend import Recommendation
    from clew.scaling.simulation.report import Line, Report
    from clew.scaling.simulation.roster import Policy

_WIDE = 112


@dataclass(frozen=True)
class Advice:
    """A recommendation with what it is compared with over all of the history."""

    of: Recommendation
    history: History
    report: Report  # first the choice, then the runner-up, then what runs today
    has_today: bool

    @property
    def said(self) -> list[str]:
        """What to do and how sure it is, in sentences."""
        of, mine = self.of, self.report.lines[0]
        words = [] if of.chosen.choice.kind == "static" else [mine.policy.words]
        billed = billing(of, mine, None if of.runner_up is None else self.report.lines[1])
        return [self._what(), *words, how_sure(of), *self._money(), *billed, *obstacles(of)]

    @property
    def why_not_surer(self) -> list[str]:
        """What else may be."""
        return doubts(self.of, self.history)

    @property
    def opening(self) -> Opening:
        """What a page of it begins with."""
        sections = [(f"For {self.of.objective}", [*self.said, summary(self.report)[0]])]
        if self.why_not_surer:
            sections.append(("Why not surer", self.why_not_surer))
        sections.append(("For streams.yml", []))
        return Opening("which way to run it", sections, self.snippet)

    @property
    def snippet(self) -> str:
        """What to paste."""
        of = self.of
        days = f"{of.trace.days:.0f} days" if of.trace.days >= 2 else "less than two days"
        said = f"Chosen on {days} of load, for {of.objective} ({confidence(of)})."
        if not of.meets:
            said = f"The nearest to {of.objective}, which it does not meet."
        return streams_yml(of.chosen.choice.settings, fill(said, 90))

    @property
    def today(self) -> Line | None:
        """What runs today."""
        return self.report.lines[-1] if self.has_today else None

    def _what(self) -> str:
        of = self.of
        price = usd(self.report.lines[0].usd_month)
        if of.meets:
            return f"Take {of.chosen.choice.name}: {price} a month."
        return f"Nothing meets the goal; the nearest is {of.chosen.choice.name}: {price} a month."

    def _money(self) -> Iterator[str]:
        of, mine = self.of, self.report.lines[0]
        low, high = usd(of.chosen.usd_low), usd(of.chosen.usd_high)
        if low != high and of.chosen.of:
            yield f"On other such days it would be {low} to {high} a month, eight times in ten."
        if of.runner_up is not None:
            other = self.report.lines[1]
            more = other.usd_month - mine.usd_month
            than = f"{usd(abs(more))} {'more' if more >= 0 else 'less'}"
            met = of.objective.met(of.runner_up.first) and of.objective.met(of.runner_up.second)
            yield (
                f"The runner-up is {other.policy.name}: {usd(other.usd_month)} a month, {than}"
                f"{'' if met else ', and it misses the goal on one of the halves'}."
            )
        if self.today is not None:
            saved = self.today.usd_month - mine.usd_month
            met = of.objective.met(self.today.outcome)
            yield (
                f"Today's ({self.today.policy.name.removeprefix('today: ')}) costs"
                f" {usd(self.today.usd_month)} a month: {usd(abs(saved))}"
                f" {'more' if saved >= 0 else 'less'}, and it"
                f" {'meets' if met else 'does not meet'} the goal."
            )


def advice(of: Recommendation, history: History, today: Policy | None = None) -> Advice:
    """Compare a recommendation with its runner-up and with what runs today."""
    policies = [of.chosen.choice.policy]
    if of.runner_up is not None:
        policies.append(of.runner_up.choice.policy)
    if today is not None:
        policies.append(today)
    report = compare(policies, of.trace, of.conditions, history.source, notes=history.notes)
    return Advice(of, history, report, today is not None)


def print_advice(given: Advice, console: Console) -> None:
    """All of it."""
    for one in _parts(given, console.width):
        console.print(one)
    # To be pasted, so it is not folded.
    console.print(Text("For streams.yml", style="bold"))
    console.print(Text(given.snippet), soft_wrap=True)
    for note in (*given.history.notes, price_note()):
        console.print(Text(visible(note), style="dim"))


def _parts(given: Advice, width: int) -> Iterator[RenderableType]:
    name = given.of.trace.name or "the stream"
    yield Text(visible(f"{name}: {given.of.objective}"), style="bold")
    first, *rest = given.said
    yield Text(visible(first), style="bold green" if given.of.meets else "bold red")
    yield from (Text(visible(one)) for one in rest)
    yield Text()
    yield table_of(given.report, wide=width >= _WIDE)
    yield Text()
    yield from sparklines(given.report, width)
    yield Text()
    if given.why_not_surer:
        yield Text("Why not surer", style="bold")
        yield from (Text(visible(f"- {one}")) for one in given.why_not_surer)
        yield Text()


def advice_json(given: Advice) -> dict[str, Any]:
    """Its facts."""
    of, lines = given.of, given.report.lines
    low, high = of.chosen.interval
    return {
        "stream": of.trace.name,
        "goal": {"refused": of.objective.refused, "catch_up_s": of.objective.catch_up_s},
        "meets_goal": of.meets,
        "confidence": {
            "word": confidence(of),
            "independent": of.independent,
            "met": of.chosen.met,
            "of": of.chosen.of,
            "low": round(low, 4),
            "high": round(high, 4),
        },
        "said": given.said,
        "why_not_surer": given.why_not_surer,
        "kind": of.chosen.choice.kind,
        "usd_month": {
            "all": round(lines[0].usd_month, 2),
            "low": round(of.chosen.usd_low, 2),
            "high": round(of.chosen.usd_high, 2),
        },
        "chosen": line_json(lines[0]),
        "runner_up": None if of.runner_up is None else line_json(lines[1]),
        "today": None if given.today is None else line_json(given.today),
        "tried": of.tried,
        "able": of.able,
        "streams_yml": given.snippet,
        "notes": list(given.history.notes),
    }
