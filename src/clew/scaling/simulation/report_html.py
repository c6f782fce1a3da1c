"""A report as one HTML file: nothing is loaded from elsewhere, and no script runs.

It follows the reader's light or dark setting, and prints.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING

from clew.scaling.model import ScalingError
from clew.scaling.simulation.report import NOTHING, part, price_note, summary
from clew.scaling.simulation.report_svg import curve
from clew.scaling.words import duration, usd
from clew.stories.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from clew.scaling.simulation.report import Line, Report

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2733; --dim: #5b6773; --rule: #dfe4e9;
  --load: #b9c3cd; --shards: #0b6fb8; --refused: #c2364b; --closed: #e3a72f; --good: #1c7a4a; }
@media (prefers-color-scheme: dark) { :root { --paper: #14191f; --ink: #e6ebf0; --dim: #9aa6b2;
  --rule: #2b343d; --load: #46525e; --shards: #5db2f2; --refused: #ff7b8c; --closed: #d9a441;
  --good: #63c794; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 66rem; padding: 2rem 1.25rem 4rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; }
.dim { color: var(--dim); } .bad { color: var(--refused); } .good { color: var(--good); }
.say { font-size: 1.05rem; } .say li { margin: .3rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--rule); text-align: right;
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal;
  padding-left: 0; min-width: 10rem; }
th { font-weight: 600; color: var(--dim); vertical-align: bottom; white-space: normal; }
tr.bound td { font-style: italic; color: var(--dim); }
section.one { margin: 1.75rem 0; break-inside: avoid; }
section.one p { margin: .1rem 0 .4rem; color: var(--dim); }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--dim); font: 11px system-ui, sans-serif; }
.key span { margin-right: 1.5rem; } .key i { display: inline-block; width: .8em; height: .8em;
  margin-right: .4em; border-radius: 2px; }
.bars { display: grid; grid-template-columns: minmax(9rem, 17rem) 1fr; gap: .4rem .75rem;
  align-items: center; }
.bar { display: flex; align-items: center; gap: .5rem; white-space: nowrap; font-size: .9rem;
  overflow: hidden; }
.bar b { display: flex; flex: none; height: 1.05rem; min-width: 2px; } .bar b i { height: 100%; }
pre { overflow-x: auto; padding: .75rem 1rem; border: 1px solid var(--rule); border-radius: 6px;
  font-size: .9rem; }
dt { font-weight: 600; margin-top: .6rem; } dd { margin: 0; color: var(--dim); }
footer { margin-top: 3rem; font-size: .85rem; color: var(--dim); }
@media print { body { max-width: none; padding: 0; } }
"""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a page begins with, instead of what to take away from the comparison."""

    title: str
    sections: Sequence[tuple[str, Sequence[str]]]  # headings, and sentences below them
    paste: str = ""  # shown as it is, below them


def write_html(report: Report, path: Path, opening: Opening | None = None) -> None:
    """Write it into a file.

    Raises:
        ScalingError: The file cannot be written.
    """
    try:
        path.write_text(html_of(report, opening), "utf-8")
    except OSError as error:
        raise ScalingError(f"{path} cannot be written: {error.strerror or error}.") from error


def html_of(report: Report, opening: Opening | None = None) -> str:
    """The file's content."""
    return "".join(_page(report, opening))


def _page(report: Report, opening: Opening | None) -> Iterator[str]:
    name = _text(report.trace.name or "The stream")
    title = _text(opening.title if opening else "what each way of scaling would have done")
    first = datetime.fromtimestamp(report.trace.start_s, UTC)
    last = first + timedelta(minutes=len(report.trace))
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>{name}: {title}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>{name}: {title}</h1>\n"
        f'<p class="dim">{first:%d %B %Y} to {last:%d %B %Y}, from {_text(report.source)}</p>\n'
    )
    if opening is None:
        yield from _list(summary(report))
    else:
        for heading, sentences in opening.sections:
            yield f"<h2>{_text(heading)}</h2>\n"
            yield from _list(sentences)
        if opening.paste:
            yield f"<pre>{escape(opening.paste)}</pre>\n"
    yield "<h2>In numbers</h2>\n"
    yield from _table(report)
    yield "<h2>Cost a month</h2>\n"
    yield from _bars(report)
    yield "<h2>What would have happened</h2>\n"
    yield (
        '<p class="key dim"><span><i style="background:var(--load)"></i>load, in shards&#8217;'
        ' worth</span><span><i style="background:var(--shards)"></i>shards that were open</span>'
        '<span><i style="background:var(--refused)"></i>refused</span></p>\n'
    )
    for line in report.lines:
        yield from _section(report, line)
    yield from _words(report)
    yield "<footer>"
    yield from (f"<p>{_text(one)}</p>" for one in (*report.notes, price_note()))
    yield "</footer></body></html>\n"


def _list(sentences: Sequence[str]) -> Iterator[str]:
    if not sentences:
        return
    yield '<ul class="say">'
    yield from (f"<li>{_text(one)}</li>" for one in sentences)
    yield "</ul>\n"


def _table(report: Report) -> Iterator[str]:
    both = report.closed_matters
    heads = ["", "$ a month"]
    if both:
        heads.append("if closed shards are billed")
    heads += ["refused", "in minutes", "lost", "longest wait", "shards", "changes a day"]
    yield '<div class="wide"><table><thead><tr>'
    yield from (f'<th scope="col">{head}</th>' for head in heads)
    yield "</tr></thead><tbody>\n"
    for line in report.lines:
        low, mean, high = line.shards
        real, bad = line.policy.real, line.refused >= NOTHING
        cells = [usd(line.usd_month_open)]
        if both:
            cells.append(usd(line.usd_month_closed))
        cells += [
            f'<span class="{"bad" if bad else "good"}">{part(line.refused)}</span>',
            f"{line.refused_minutes:,}",
            part(line.lost),
            duration(line.catch_up_s) if line.catch_up_s else "none",
            str(low) if low == high else f"{low} to {high}, mean {mean:.1f}",
            f"{line.changes_a_day:.1f}" if real else "",
        ]
        kind = "" if real else ' class="bound"'
        yield f"<tr{kind}><td>{_text(line.policy.name)}</td>"
        yield from (f"<td>{cell}</td>" for cell in cells)
        yield "</tr>\n"
    yield "</tbody></table></div>\n"


def _bars(report: Report) -> Iterator[str]:
    most = max(line.usd_month_closed for line in report.lines)
    typical = max(line.usd_month_open for line in report.lines)
    edge = max(min(most, 2.2 * typical), 1e-9)
    if report.closed_matters:
        yield (
            '<p class="key dim"><span><i style="background:var(--shards)"></i>if closed shards'
            ' are free</span><span><i style="background:var(--closed)"></i>more, if they are'
            " billed until their records expire</span></p>"
        )
    yield '<div class="bars">\n'
    for line in report.lines:
        first = 58 * min(line.usd_month_open, edge) / edge
        more = 58 * min(line.usd_month_closed, edge) / edge - first
        told = usd(line.usd_month_open)
        if line.usd_month_closed - line.usd_month_open > 0.005:
            told += f" to {usd(line.usd_month_closed)}"
            told += " (longer than shown)" if line.usd_month_closed > edge * 1.001 else ""
        color = "shards" if line.policy.real else "dim"
        yield (
            f'<div>{_text(line.policy.name)}</div><div class="bar"><b style="width:'
            f'{first + more:.2f}%"><i style="background:var(--{color});flex:{first:.3f} 0 0"></i>'
            f'<i style="background:var(--closed);flex:{more:.3f} 0 0"></i></b>{told}</div>\n'
        )
    yield "</div>\n"


def _section(report: Report, line: Line) -> Iterator[str]:
    told = f"{usd(line.usd_month)} a month; "
    if line.refused >= NOTHING:
        told += f'<span class="bad">refused {part(line.refused)} of the records, in'
        told += f" {line.refused_minutes:,} minutes</span>"
    else:
        told += "refused nothing"
    yield f'<section class="one"><h3>{_text(line.policy.name)}</h3>'
    yield f"<p>{_text(line.policy.words)}<br>{told}</p>\n"
    yield curve(report, line)
    yield "</section>\n"


def _words(report: Report) -> Iterator[str]:
    said = {
        "Shard": "A stream is made of shards; each takes so much and no more. More shards take"
        " more and cost more.",
        "Refused": "What comes when the shards are full is refused at once. Whoever sends it tries"
        " again, so it comes late; after"
        f" {duration(report.conditions.give_up_s)} it is taken to be given up, and is lost.",
        "Longest wait": "From when something was first refused until all of it was in.",
    }
    if report.optimum is not None:
        said["The optimum"] = (
            "What it would have taken to know every minute beforehand: nobody can have it, but it"
            " says how much there is to be saved at most."
        )
    yield "<h2>Words</h2><dl>"
    yield from (f"<dt>{word}</dt><dd>{meaning}</dd>" for word, meaning in said.items())
    yield "</dl>\n"


def _text(text: str) -> str:
    return escape(visible(text))
