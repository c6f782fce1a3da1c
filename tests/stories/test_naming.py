"""Names are short and still say what is meant; text is safe to show."""

from __future__ import annotations

import pytest

from clew.stories.naming import clock, one_line, rfc3339, short_target, source_name, target_name
from clew.stories.visible import visible

ARN = "arn:aws:{0}:us-east-1:000000000000:{1}"


@pytest.mark.parametrize(
    ("target", "short"),
    [
        (ARN.format("sns", "orders"), "orders"),
        (ARN.format("kinesis", "stream/clicks"), "clicks"),
        (ARN.format("lambda", "function:mail:live"), "mail:live"),
        (ARN.format("events", "event-bus/default"), "default"),
        ("arn:aws", "arn:aws"),
        ("https://example.com/a/b", "example.com/a/b"),
        ("clicks", "clicks"),
        ("https://a1b2.execute-api.eu-west-1.amazonaws.com/Prod/b", "API a1b2/Prod/b"),
        ("http://127.0.0.1:4566/_aws/execute-api/a1b2/Prod/b", "API a1b2/Prod/b"),
        ("https://a1b2.execute-api.eu-west-1.amazonaws.com.evil.com/b", None),
        (ARN.format("states", "stateMachine:ship"), "ship"),
        ("", ""),
        (f"http://example.com/{'x' * 90}/end", f"example.com/{'x' * 18}…{'x' * 26}/end"),
    ],
)
def test_short_target(target: str, short: str | None) -> None:
    assert short_target(target) == (target.partition("://")[2] if short is None else short)


def test_names_of_services_and_sources() -> None:
    assert target_name("http", "GET", "http://a/b") == "GET a/b"
    assert target_name("sqs", "SendMessage", "https://sqs.x/000/jobs") == "SQS queue jobs"
    assert target_name("", "", "") == ""
    assert source_name("aws:apigatewayv2") == "HTTP API"
    assert source_name("aws:new") == "new"


def test_times() -> None:
    assert clock(1_767_323_045_007) == "03:04:05.007 UTC"
    assert rfc3339(1_767_323_045_999) == "2026-01-02T03:04:05.999Z"
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"


def test_one_line() -> None:
    assert one_line(" a\n\tb  c ") == "a b c"
    assert one_line("x" * 500) == "x" * 200 + "…"


def test_visible() -> None:
    assert visible("grün ☕ 日本") == "grün ☕ 日本"
    assert visible("grün", ascii_only=True) == "gr\\xfcn"
    assert visible("a\x1b[0m\u202e\n\t\u200d\ud800") == "a\\x1b[0m\\u202e\\n \\u200d\\ud800"


def test_a_time_beyond_all_times_is_the_last() -> None:
    assert rfc3339(10**300) == "9999-12-31T23:59:59.000Z"
    assert clock(10**300) == "23:59:59.000 UTC"
