"""Counts, times and links come from what was really received and sent."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from clew.stories.lines import RawLine
from clew.stories.parse import read
from clew.stories.web.layout import layers
from clew.stories.web.traffic import Traffic, quantile, traffic
from stories.runtime import Run

from .asking import Browser, text_of
from .conftest import broken_request, whole_request


def of(*runs: Run, reports: list[RawLine] | None = None) -> Traffic:
    lines = read([line for run in runs for line in run.lines])
    return traffic(lines.invocations, read(reports or []).texts)


def test_functions_are_counted() -> None:
    report = RawLine(
        5, "/aws/lambda/mail", "s",
        "REPORT RequestId: 4f0c1f0e-0d7a-4f3e-9d53-0a3a5b1f6f5e\tDuration: 20.11 ms\tBilled "
        "Duration: 21 ms\tMemory Size: 256 MB\tMax Memory Used: 192 MB\tInit Duration: 180.52 ms\t",
    )  # fmt: skip
    found = of(*broken_request(), *whole_request(), reports=[report])
    told = {one.name: one for one in found.functions}
    assert found.functions[0].name == "mail", "those with errors are first"
    assert (told["mail"].invocations, told["mail"].errors, told["mail"].lost) == (1, 1, 1)
    assert (told["api-a"].invocations, told["api-a"].cold_starts) == (2, 1)
    assert told["mail"].headroom == 0.25
    assert told["mail"].init_ms == [180.52]
    assert told["api-a"].headroom is None


def test_links_go_from_sends_to_receives() -> None:
    found = of(*broken_request(), *whole_request())
    names = {node.key: f"{node.kin} {node.name}".strip() for node in found.nodes}
    links = {(names[one.start], names[one.end]): (one.count, one.errors) for one in found.links}
    assert links == {
        ("API Gateway", "api-a"): (2, 0),
        ("api-a", "api-b"): (1, 0),
        ("api-a", "SNS topic orders"): (1, 0),
        ("SNS topic orders", "mail"): (1, 1),
        ("api-a", "Kinesis stream clicks"): (1, 0),
    }


def test_a_receive_whose_send_is_unknown_is_no_edge() -> None:
    late = Run("late", source="aws:sns")
    late.receive(answers="00f067aa0ba902b7")
    late.end()
    assert of(late).links == ()


def test_quantiles() -> None:
    assert quantile([], 0.5) is None
    assert quantile([3.0], 0.99) == 3
    assert quantile([float(n) for n in range(100)], 0.99) == 99
    assert quantile([float(n) for n in range(100)], 0.5) == 50


_NODES = st.lists(st.integers(0, 12).map(str), unique=True, max_size=12)


@given(_NODES, st.lists(st.tuples(st.integers(0, 12).map(str), st.integers(0, 12).map(str))))
def test_every_node_has_a_place_of_its_own(nodes: list[str], links: list[tuple[str, str]]) -> None:
    places = layers(nodes, links)
    assert set(places) == set(nodes)
    assert len(set(places.values())) == len(nodes)
    assert layers(nodes, links) == places


@given(_NODES, st.sets(st.tuples(st.integers(0, 12), st.integers(0, 12))))
def test_without_circles_all_links_go_to_the_right(
    nodes: list[str], links: set[tuple[int, int]]
) -> None:
    ahead = [(str(a), str(b)) for a, b in links if a < b and {str(a), str(b)} <= set(nodes)]
    places = layers(nodes, ahead)
    assert all(places[a].layer < places[b].layer for a, b in ahead)


def test_a_long_chain_and_a_circle_are_drawn() -> None:
    chain = [str(number) for number in range(3000)]
    links = [*pairwise(chain), ("2999", "0")]
    places = layers(chain, links)
    assert places["2999"].layer == 2999


def test_the_pages_show_it(browser: Browser) -> None:
    table = browser.get("/functions?since=all").text
    assert "mail 1" in text_of(table)
    assert 'href="/functions?since=all" aria-current="true">all' in table
    assert "No function has logged" in browser.get("/functions").text, "in the last hour"
    drawing = browser.get("/map?since=").text
    assert "<svg" in drawing
    assert "SNS topic · " in drawing
    assert 'href="/?function=mail"' in drawing
