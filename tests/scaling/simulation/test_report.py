"""Reports: numbers that can be worked out by hand, and what is shown of them."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from rich.console import Console

from clew.scaling import Prices, ScalingError
from clew.scaling.simulation import Conditions, Trace
from clew.scaling.simulation.report import (
    Report,
    at_peaks,
    compare,
    part,
    sparse,
    summary,
)
from clew.scaling.simulation.report_html import Opening, html_of, write_html
from clew.scaling.simulation.report_json import report_json
from clew.scaling.simulation.report_png import write_png
from clew.scaling.simulation.report_spark import spark
from clew.scaling.simulation.report_text import print_report
from clew.scaling.simulation.roster import USUAL, policy

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1_048_576
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e$x_1$"


def trace_of(load: np.ndarray[tuple[int], np.dtype[np.float64]], name: str = "orders") -> Trace:
    """Records of 1 MiB: the bytes are what counts."""
    return Trace(load * MIB, load.copy(), start_s=1767225600.0, name=name)


def report_of(*policies: str, name: str = "orders", days: int = 1) -> Report:
    """One shard's worth all the time, but for a minute of four in the middle of each day."""
    load = np.ones(1440 * days)
    load[720::1440] = 4.0
    trace, conditions = trace_of(load, name), Conditions(max_shards=8)
    chosen = [policy(one, trace, conditions) for one in policies]
    return compare(chosen, trace, conditions, "orders.csv", notes=("A note.",))


def test_two_shards_always() -> None:
    [line] = report_of("fixed:2").lines
    total = 1439 + 4
    # Two are refused of the four. In the next minute they come again with one more: a third of
    # three finds no room, new or not. In the minute after, everything does.
    assert line.refused == pytest.approx((2 + 1 / 3) / total)
    assert line.refused_minutes == 2
    assert line.catch_up_s == 120
    assert line.lost == 0
    assert line.shards == (2, 2.0, 2)
    assert line.changes_a_day == 0
    payload = total * 60 * 42 / 1e6 * 0.014  # 1 MiB are 42 units of 25 KB, nearly
    assert line.usd_month == pytest.approx((2 * 24 * 0.015 + payload) * 730 / 24, rel=0.01)
    assert line.usd_month_open == line.usd_month == line.usd_month_closed


def test_closed_shards_are_priced_at_both_rates() -> None:
    report = report_of("track")
    [line] = report.lines
    closed = line.outcome.closed
    assert closed > 0
    assert line.usd_month_closed - line.usd_month_open == pytest.approx(
        closed * 24 * 0.015 * 730 / 24
    )
    assert line.usd_month == line.usd_month_open
    assert report.closed_matters
    assert "AWS's pages do not say" in summary(report)[-1]


def test_the_optimum_knows_the_price_of_closed_shards() -> None:
    line = report_of("optimum").optimum
    assert line is not None
    # At no price it has four for one minute. At the full price it keeps them for good or bears it.
    assert line.usd_month_open < line.usd_month_closed
    dear = replace(Prices(), closed_shard_rate=1.0)
    as_planned = line.outcome.usd(dear) * 730 / 24
    assert line.usd_month_closed <= as_planned + 1e-6


def test_what_to_take_away() -> None:
    said = summary(report_of("fixed:2", "static", "optimum"))
    assert "4.0 shards' worth in its fullest minute and 1.0 on average, over 24 h" in said[0]
    assert "refused nothing is 4 shards, always (the peak)" in said[1]
    assert "known only afterwards" in said[1]
    assert "pays least with 2 shards, always" in said[2]
    assert "0.16 % refused in 2 minutes" in said[2]
    assert "knew the future" in said[3]


def test_where_each_refused_something() -> None:
    said = summary(report_of("fixed:1", "fixed:2"))
    assert "Each of them refused something; 2 shards, always the least: 0.16 %" in said[1]


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0 %"), (1e-5, "under 0.01 %"), (0.00014, "0.014 %"), (0.01, "1 %"), (0.284, "28 %")],
)
def test_parts_have_the_digits_that_matter(value: float, said: str) -> None:
    assert part(value) == said


def test_many_minutes_become_few_columns_and_no_peak_is_lost() -> None:
    values = np.zeros(1000)
    values[777] = 9.0
    assert sparse(values, 10).tolist() == [0] * 7 + [9, 0, 0]
    assert sparse(values, 10, "sum").sum() == 9
    assert sparse(values, 10, "mean")[7] == pytest.approx(0.09)
    assert sparse(values[:5], 10).tolist() == [0] * 5
    assert at_peaks(values, np.arange(1000.0), 10)[7] == 777


def test_sparklines() -> None:
    assert spark([0, 0.01, 4, 8, 99], 8) == " ▁▄██"
    assert spark([1, 2], 0) == "  "


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_it_fits_the_terminal_and_shows_hostile_names_as_text(width: int) -> None:
    out = StringIO()
    report = report_of("fixed:2", "track", "on-demand", "optimum", name=HOSTILE)
    print_report(report, Console(file=out, width=width, highlight=False))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert "\x1b" not in out.getvalue()
    assert "\u202e" not in out.getvalue()
    shown = [line for line in lines if line.startswith("2 shards, always")]
    assert "0.16 %" in shown[0]
    assert set(shown[1][-10:]) == {"▃"}


class _Page(HTMLParser):
    """What is in a page, and whether every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes += attrs
        if tag not in ("meta", "br", "path"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_stands_alone_and_needs_no_script() -> None:
    report = report_of("fixed:2", "track", "optimum", name=HOSTILE)
    page = _Page()
    opening = Opening("to <do>", [("A & b", ["Do this & that."])], "orders: {min: 1} # <1>\n")
    page.feed(html_of(report, opening))
    assert page.open == []
    assert not page.seen & {"script", "link", "img", "iframe", "object", "audio", "video"}
    assert not {name for name, _ in page.attributes} & {"src", "href", "onload", "onclick"}
    assert "prefers-color-scheme: dark" in html_of(report)
    assert page.text.count("<script>alert(1)</script>") >= 2
    assert "\x1b" not in page.text
    for said in ("to <do>", "A & b", "Do this & that.", "orders: {min: 1} # <1>"):
        assert said in page.text
    assert "0.16 %" in page.text
    assert "A note." in page.text
    labels = [value for name, value in page.attributes if name == "aria-label"]
    assert labels[0] == "2 shards, always: 2 to 2 shards, 2.0 on average; refused 0.16 %."


def test_the_picture_is_a_png_of_a_size_that_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "report.png"
    write_png(report_of("fixed:2", "on-demand", name=HOSTILE), path)
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    assert width == 1430
    assert 500 < height < 1000


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    report = report_of("fixed:2")
    for write in (write_html, write_png):
        with pytest.raises(ScalingError, match=r"nowhere.* cannot be written: No such file"):
            write(report, tmp_path / "nowhere" / "report")


def test_json_has_the_same_numbers() -> None:
    report = report_of("fixed:2", "optimum")
    facts = json.loads(json.dumps(report_json(report)))
    assert facts["trace"]["peak_shards"] == 4.0
    first, second = facts["policies"]
    assert first["policy"] == "fixed:2"
    assert first["refused"] == pytest.approx(report.lines[0].refused, abs=1e-8)
    assert first["catch_up_s"] == 120
    assert (first["can_be_chosen"], second["can_be_chosen"]) == (True, False)
    assert facts["notes"] == ["A note."]


def test_one_of_each_kind_is_compared_if_nobody_says_what() -> None:
    report = report_of(*USUAL)
    assert [line.policy.key for line in report.lines] == list(USUAL)
    assert all(line.policy.words.endswith(".") for line in report.lines)
