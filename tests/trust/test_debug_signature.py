"""DEBUG through a call chain only by those who have the secret."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clew
from capture.events import (
    FIELDS,
    Context,
    attributes,
    http_api,
    kinesis,
    packed,
    rest_api,
    sns,
    with_context,
)
from clew import trust, wire
from handlers.every import EVERY
from log.lines import Line, logged, warnings

if TYPE_CHECKING:
    from collections.abc import Callable

log = clew.get_logger("tests.debug_signature")
DEBUG = {**FIELDS, "debug-log-enabled": "true"}

#: How fields arrive: a kind of handler, and its event.
ARRIVALS: dict[str, tuple[str, Callable[[dict[str, str]], Any]]] = {
    "headers": ("rest api", rest_api),
    "headers 2.0": ("http api", http_api),
    "payload": ("direct", lambda fields: {"a": 1, "__context": fields}),
    "attributes": ("sns", lambda fields: sns("hello", attributes(fields))),
    "packed": ("sns", lambda fields: sns("hello", packed(json.dumps(fields)))),
    "record": ("kinesis", lambda fields: kinesis(with_context(b"{}", fields))),
    "record of a batch": ("kinesis batch", lambda fields: kinesis(with_context(b"{}", fields))),
}
EVERY_WAY = pytest.mark.parametrize("way", ARRIVALS)


def arrive(way: str, fields: dict[str, str], **options: Any) -> tuple[clew.Correlation, list[Line]]:
    """The correlation in force where ``fields`` arrived, and the lines that were written."""
    kind, event_of = ARRIVALS[way]
    found: list[clew.Correlation] = []

    def body(given: Any) -> None:
        found.append(given[0].correlation if isinstance(given, list) else clew.current())
        with clew.use(found[0]):
            log.debug("detail")

    with logged() as lines:
        EVERY[kind][0](body, **options)(event_of(fields), Context())
    return found[0], lines


def details(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line["message"] == "detail"]


@EVERY_WAY
def test_without_a_secret_anybody_decides(way: str) -> None:
    correlation, lines = arrive(way, DEBUG)
    assert correlation.debug
    assert len(details(lines)) == 1
    assert wire.SIGNATURE not in correlation.outgoing("c" * 16)


@EVERY_WAY
@pytest.mark.parametrize(
    "forged",
    ["", "0", "99999999999.", f"{2**31}.{'0' * 64}", "٣.a", "a" * 80, "1.é"],
)
def test_a_stranger_does_not_switch_debug_on(way: str, forged: str, secret: str) -> None:
    signature = {wire.SIGNATURE: forged} if forged else {}
    correlation, lines = arrive(way, {**DEBUG, **signature})
    assert not correlation.debug
    assert correlation["debug-log-enabled"] == "false"
    assert correlation.id == "the-request", "the rest of what came in counts"
    assert details(lines) == []
    assert [line["dropped"] for line in warnings(lines)] in ([1], [2])
    outgoing = correlation.outgoing("c" * 16)
    assert outgoing["debug-log-enabled"] == "false"
    assert wire.SIGNATURE not in outgoing


@EVERY_WAY
def test_an_operators_signature_goes_unchanged_through_every_hop(way: str, secret: str) -> None:
    signed = {**FIELDS, **clew.sign_debug("the-request")}
    correlation, lines = arrive(way, signed)
    assert correlation.debug
    assert len(details(lines)) == 1
    sent = correlation.outgoing("c" * 16)
    assert sent[wire.SIGNATURE] == signed[wire.SIGNATURE]
    for next_way in ARRIVALS:
        after, _ = arrive(next_way, sent)
        assert after.debug
        assert after.outgoing("d" * 16)[wire.SIGNATURE] == signed[wire.SIGNATURE]


@EVERY_WAY
def test_the_edge_that_samples_signs(way: str, secret: str) -> None:
    undecided = {name: value for name, value in FIELDS.items() if name != "debug-log-enabled"}
    edge, _ = arrive("headers", undecided, debug_sample_rate=1.0)
    assert edge.debug
    after, lines = arrive(way, edge.outgoing("c" * 16))
    assert after.debug
    assert len(details(lines)) == 1


def test_a_decision_that_does_not_count_is_none_and_the_dice_are_asked(secret: str) -> None:
    correlation, _ = arrive("headers", DEBUG, debug_sample_rate=1.0)
    assert correlation.debug
    assert trust.is_valid(correlation.outgoing("c" * 16)[wire.SIGNATURE], correlation.id)


def test_false_needs_no_signature(secret: str) -> None:
    correlation, lines = arrive("headers", FIELDS, debug_sample_rate=1.0)
    assert not correlation.debug
    assert warnings(lines) == []
    assert wire.SIGNATURE not in correlation.outgoing("c" * 16)


def test_a_hop_without_the_secret_hands_the_signature_on(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = {**FIELDS, **clew.sign_debug("the-request")}
    monkeypatch.delenv("CLEW_SECRET")
    between, _ = arrive("headers", signed)
    monkeypatch.setenv("CLEW_SECRET", secret)
    after, _ = arrive("record", between.outgoing("c" * 16))
    assert after.debug


def test_a_signature_counts_for_its_own_request_only(secret: str) -> None:
    signed = {**FIELDS, **clew.sign_debug("another-request"), "x-correlation-id": "the-request"}
    assert not arrive("headers", signed)[0].debug
    without_id = {name: signed[name] for name in signed if name != "x-correlation-id"}
    assert not arrive("headers", without_id)[0].debug


def test_a_signature_counts_until_it_expires(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    signature = clew.sign_debug("the-request", expires="10m")[wire.SIGNATURE]

    def after(seconds: float) -> bool:
        monkeypatch.setattr(time, "time", lambda: now + seconds)
        return trust.is_valid(signature, "the-request")

    assert after(0)
    assert after(599)
    assert after(600 + trust.CLOCK_SKEW - 2), "another clock may be late"
    assert not after(600 + trust.CLOCK_SKEW + 2)
    assert after(-trust.CLOCK_SKEW), "or early"


def test_no_signature_counts_for_more_than_a_week(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_a_year = trust.sign("the-request", 365 * 86_400)
    assert not trust.is_valid(in_a_year, "the-request")


def test_a_secret_is_changed_while_both_count(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = "the-old-secret-of-the-team", "the-new-secret-of-the-team"
    monkeypatch.setenv("CLEW_SECRET", old)
    by_old = trust.sign("a")
    monkeypatch.setenv("CLEW_SECRET", f"{new}, {old}")
    by_new = trust.sign("a")
    assert trust.is_valid(by_old, "a")
    assert trust.is_valid(by_new, "a")
    monkeypatch.setenv("CLEW_SECRET", new)
    assert trust.is_valid(by_new, "a"), "the first one signs"
    assert not trust.is_valid(by_old, "a")


def test_a_secret_that_is_nothing_lets_nothing_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEW_SECRET", " , ")
    assert not arrive("headers", DEBUG)[0].debug


@given(st.text(max_size=90), st.text(max_size=20))
def test_no_text_is_a_signature_and_none_raises(text: str, correlation_id: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLEW_SECRET", "an-example-of-32-random-characters")
        assert not trust.is_valid(text, correlation_id)


@given(st.integers(0, 75), st.characters(codec="ascii"))
def test_a_signature_that_was_changed_counts_no_more(at: int, other: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLEW_SECRET", "an-example-of-32-random-characters")
        signature = trust.sign("a")
        changed = signature[:at] + other + signature[at + 1 :]
        assert trust.is_valid(changed, "a") is (changed == signature)


def test_another_id_is_signed_anew(secret: str) -> None:
    correlation, _ = arrive("headers", {**FIELDS, **clew.sign_debug("the-request")})
    with clew.use(correlation):
        bound = clew.bind(user_id="7")
        renamed = clew.bind(id="another")
    assert bound.outgoing("c" * 16)[wire.SIGNATURE] == correlation.debug_signature
    assert trust.is_valid(renamed.outgoing("c" * 16)[wire.SIGNATURE], "another")


def test_a_correlation_made_by_hand_is_signed(secret: str) -> None:
    by_hand = clew.Correlation({"x-correlation-id": "mine", "debug-log-enabled": "true"})
    assert arrive("attributes", by_hand.outgoing("c" * 16))[0].debug
    context = json.loads(by_hand.as_context("c" * 16))
    assert arrive("payload", context)[0].debug
    again = clew.Correlation(context)
    assert wire.SIGNATURE not in again
    assert again.outgoing("d" * 16)[wire.SIGNATURE] == context[wire.SIGNATURE]


@EVERY_WAY
def test_neither_secret_nor_signature_is_ever_logged(way: str, secret: str) -> None:
    signed = {**FIELDS, **clew.sign_debug("the-request")}
    kind, event_of = ARRIVALS[way]

    def body(_: Any) -> None:
        log.error("all of it", extra={"fields": signed, **dict(clew.current())})
        raise KeyError("a")

    with logged() as lines, pytest.raises(KeyError):
        EVERY[kind][0](body)(event_of(signed), Context())
    text = str(lines)
    assert "the event of the failed invocation" in text
    assert secret not in text
    assert signed[wire.SIGNATURE].partition(".")[2] not in text


def test_a_short_secret_is_warned_of_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEW_SECRET", "hunter2")
    with logged() as lines:
        trust.sign("a")
        trust.is_valid("1.a", "a")
    (warning,) = warnings(lines)
    assert "fewer than 16 characters" in warning["message"]
    assert "hunter2" not in str(lines)


@pytest.mark.parametrize(
    ("expires", "seconds"),
    [("90s", 90), ("10m", 600), ("2h", 7200), ("7d", 604_800), (5, 5), (timedelta(hours=1), 3600)],
)
def test_lengths_of_time(expires: Any, seconds: float, secret: str) -> None:
    until = int(clew.sign_debug("a", expires=expires)[wire.SIGNATURE].partition(".")[0])
    assert abs(until - time.time() - seconds) < 30


@pytest.mark.parametrize("expires", ["", "10", "m", "-1s", "8d", 0, -1, True, timedelta(days=8)])
def test_other_lengths_are_refused(expires: Any, secret: str) -> None:
    with pytest.raises(clew.ClewError, match="no length of time"):
        clew.sign_debug("a", expires=expires)


def test_what_cannot_be_signed_is_refused(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for correlation_id in ("", "a\nb", "a" * 257, "é"):
        with pytest.raises(clew.ClewError, match="printable ASCII"):
            clew.sign_debug(correlation_id)
    monkeypatch.delenv("CLEW_SECRET")
    with pytest.raises(clew.ClewError, match="CLEW_SECRET is not set"):
        clew.sign_debug("a")


def test_how_long_a_sampled_decision_counts(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def lasts() -> float:
        return int(trust.sign("a").partition(".")[0]) - time.time()

    assert 3_500 < lasts() < 3_700
    monkeypatch.setenv("CLEW_DEBUG_EXPIRES", "1d")
    assert 86_300 < lasts() < 86_500
    monkeypatch.setenv("CLEW_DEBUG_EXPIRES", "soon")
    with logged() as lines:
        assert 3_500 < lasts() < 3_700
    assert "CLEW_DEBUG_EXPIRES" in warnings(lines)[0]["message"]
