"""Names, limits, and the check of what strangers send."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clew import wire
from clew.capture.receive import receive

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"


def test_names_are_matched_without_regard_to_case() -> None:
    inbound = wire.check([("X-Correlation-ID", "Tywin"), ("Debug-Log-Enabled", "TRUE")])
    assert inbound.fields == {"x-correlation-id": "Tywin", "debug-log-enabled": "true"}
    assert inbound.dropped == 0


def test_what_is_not_clews_is_passed_over_and_not_counted() -> None:
    inbound = wire.check([("content-type", "\x00"), (7, "x"), (None, None), ("x-amzn-id", 3)])
    assert (inbound.fields, inbound.dropped) == ({}, 0)


def test_of_two_with_one_name_the_last_counts() -> None:
    inbound = wire.check([("x-correlation-id", "a"), ("X-CORRELATION-ID", "b")])
    assert inbound.fields == {"x-correlation-id": "b"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-correlation-id", ""),
        ("x-correlation-id", " "),
        ("user-agent", "  "),
        ("x-correlation-id", "\ta"),
        ("x-correlation-id", "a" * 257),
        ("x-correlation-id", "a\nb"),
        ("x-correlation-id", "a\x1b[31m"),
        ("x-correlation-id", "\x7f"),
        ("x-correlation-id", "naïve"),
        ("x-correlation-id", b"bytes"),
        ("x-correlation-id", None),
        ("x-correlation-id", ["a"]),
        ("x-correlation-id", 42),
        ("x-correlation-under_score", "a"),
        ("x-correlation-" + "a" * 51, "a"),
        ("x-correlation-ß", "a"),
        ("debug-log-enabled", "yes"),
        ("debug-log-enabled", True),
        ("call-chain-length", "-1"),
        ("call-chain-length", "1.5"),
        ("call-chain-length", "10000"),
        ("call-chain-length", "٣"),
        ("call-chain-length", -1),
        ("call-chain-length", True),
        ("user-agent", "a\r\nset-cookie: b"),
        ("tracestate", "a" * 513),
    ],
)
def test_what_breaks_a_limit_is_dropped_and_counted(name: str, value: object) -> None:
    inbound = wire.check([(name, value), ("x-correlation-kept", "1")])
    assert inbound.fields == {"x-correlation-kept": "1"}
    assert inbound.dropped == 1


def test_the_longest_name_and_value_are_kept() -> None:
    name = "x-correlation-" + "a" * 50
    assert len(name) == 64
    assert wire.check([(name, "v" * 256)]).fields == {name: "v" * 256}


def test_a_chain_length_may_be_a_json_number() -> None:
    assert wire.check([("call-chain-length", 3)]).fields == {"call-chain-length": "3"}


def test_spaces_around_a_value_are_taken_off() -> None:
    traced = ("traceparent", TRACEPARENT)
    inbound = wire.check(
        [
            ("x-correlation-id", " lead"),
            ("x-correlation-user", "bob "),
            ("user-agent", " u a "),
            ("debug-log-enabled", " true "),
            traced,
            ("tracestate", "a=1, b=2 "),
            ("baggage", "\ta=1, b=2 \t"),
        ]
    )
    assert inbound.fields == {
        "x-correlation-id": "lead",
        "x-correlation-user": "bob",
        "user-agent": "u a",
        "debug-log-enabled": "true",
    }
    assert (inbound.tracestate, inbound.baggage) == ("a=1, b=2", "a=1, b=2")
    assert inbound.dropped == 0
    assert not wire.is_value(" a")
    assert not wire.is_value("a ")


def test_a_state_that_is_cut_ends_with_no_space() -> None:
    first, second = "a=" + "1" * 400 + " ", "b=" + "2" * 100
    assert wire.with_send(f"{first},{second}", SPAN, SPAN).endswith("1")


def test_at_most_32_ids_with_the_requests_own() -> None:
    many = [(f"x-correlation-{number}", "v") for number in range(40)]
    inbound = wire.check([*many, ("x-correlation-id", "kept")])
    assert len(inbound.fields) == 32
    assert inbound.fields["x-correlation-id"] == "kept"
    assert inbound.dropped == 9


def test_at_most_4_kib_together() -> None:
    many = [(f"x-correlation-{number:02d}", "v" * 250) for number in range(30)]
    inbound = wire.check([*many, ("x-correlation-id", "i" * 256), ("call-chain-length", "9999")])
    size = sum(len(name) + len(value) for name, value in inbound.fields.items())
    assert 3_700 < size <= 4_096
    assert inbound.dropped > 0
    assert {"x-correlation-id", "call-chain-length"} <= inbound.fields.keys()


def test_an_id_that_comes_again_gives_back_the_room_of_the_first() -> None:
    again = [("x-correlation-a", "v" * 250)] * 100
    inbound = wire.check([*again, ("x-correlation-b", "v" * 250)])
    assert inbound.dropped == 0
    assert set(inbound.fields) == {"x-correlation-a", "x-correlation-b"}


@pytest.mark.parametrize("value", [TRACEPARENT, f" {TRACEPARENT} ", f"01-{TRACE}-{SPAN}-01-more"])
def test_a_traceparent_is_taken_apart(value: str) -> None:
    inbound = wire.check([("traceparent", value), ("TraceState", "rojo=00f067aa0ba902b7")])
    assert (inbound.trace_id, inbound.parent_span_id, inbound.trace_flags) == (TRACE, SPAN, "01")
    assert inbound.tracestate == "rojo=00f067aa0ba902b7"
    assert (inbound.fields, inbound.dropped) == ({}, 0)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "ff" + TRACEPARENT[2:],
        TRACEPARENT + "-more",
        TRACEPARENT[:-1],
        TRACEPARENT.upper(),
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        TRACEPARENT + "\n" + TRACEPARENT,
        f"01-{TRACE}-{SPAN}-01-" + "a" * 300,
    ],
)
def test_a_malformed_traceparent_is_dropped_and_its_state_with_it(value: str) -> None:
    inbound = wire.check([("tracestate", "rojo=1"), ("traceparent", value)])
    assert (inbound.trace_id, inbound.parent_span_id, inbound.tracestate) == ("", "", "")
    assert inbound.dropped == 1


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
            ("1-5759e988-bd862e3fe1be46a994272793", "01"),
        ),
        (
            "Self=1-67891234-12456789abcdef012345678;Root=1-5759e988-bd862e3fe1be46a994272793",
            ("1-5759e988-bd862e3fe1be46a994272793", ""),
        ),
        ("Root=1-5759e988-bd862e3fe1be46a994272793; Sampled=0", None),
        ("Sampled=?", ("", "")),
        ("Root=1-5759E988-bd862e3fe1be46a994272793", ("", "")),
        ("Root=;;=", ("", "")),
        ("", ("", "")),
        (None, ("", "")),
    ],
)
def test_an_xray_header_is_read(header: str | None, expected: tuple[str, str] | None) -> None:
    assert wire.xray(header) == (expected or ("1-5759e988-bd862e3fe1be46a994272793", "00"))


def test_an_xray_root_becomes_a_trace_id() -> None:
    found = wire.xray_to_trace_id("1-5759e988-bd862e3fe1be46a994272793")
    assert found == "5759e988bd862e3fe1be46a994272793"
    assert wire.xray_to_trace_id("1-5759e988") == ""


names = st.one_of(
    st.sampled_from(["x-correlation-id", "X-Correlation-ID", "debug-log-enabled", "user-agent"]),
    st.sampled_from(["call-chain-length", "traceparent", "tracestate", "clew-context"]),
    st.from_regex(r"x-correlation-[a-z0-9-]{1,50}", fullmatch=True),
    st.text(max_size=70),
)
values = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=256),
    st.sampled_from(["true", "false", "7", "9999", TRACEPARENT]),
    st.text(max_size=300),
    st.none() | st.integers() | st.binary() | st.lists(st.text()),
)
pairs = st.lists(st.tuples(names, values), max_size=60)


full: list[tuple[object, object]] = [(f"x-correlation-{n}", "v" * 250) for n in range(40)]
crowd: list[tuple[object, object]] = [(f"x-correlation-{n}", "v") for n in range(40)]


@given(pairs)
@example(full)
@example(crowd)
def test_the_limits_hold_for_whatever_comes(came: list[tuple[object, object]]) -> None:
    fields = wire.check(came).fields
    ids = [name for name in fields if name.startswith("x-correlation-")]
    assert len(ids) <= 32
    assert sum(len(name) + len(value) for name, value in fields.items()) <= 4_096
    assert all(value.isascii() and value.isprintable() for value in fields.values())


@given(pairs, st.randoms(use_true_random=False))
@example(full, Random(1))
@example(crowd, Random(1))
def test_what_left_one_function_arrives_whole_at_the_next(
    came: list[tuple[object, object]], random: Random
) -> None:
    """Whatever strangers sent: the next hop keeps every field, in any order of delivery.

    Else a caller that fills the limits would push out the chain length, and loops would not end.
    """
    sent = receive(wire.check(came), "own-id", None).outgoing("b" * 16)
    delivered = list(sent.items())
    random.shuffle(delivered)
    again = wire.check(delivered)
    assert again.dropped == 0
    state = {"tracestate": again.tracestate} if again.tracestate else {}
    traceparent = f"00-{again.trace_id}-{again.parent_span_id}-{again.trace_flags}"
    assert {**again.fields, **state, "traceparent": traceparent} == sent
