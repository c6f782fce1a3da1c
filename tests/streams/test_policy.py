"""Policies: small frozen values, and one clear sentence for what cannot be meant."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import clew
from clew.streams.policy import DeadLetter, Retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.streams.policy import Policy

#: What a type checker would stop.
wrong: Any = clew
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/dead"


def test_policies_compose_and_can_be_looked_at() -> None:
    policy = clew.retry(times=2, within="5s", then=clew.dead_letter(QUEUE))
    first, last = policy.chain()
    assert isinstance(first, Retry)
    assert isinstance(last, DeadLetter)
    assert (first.kind, first.times, first.within_s, first.backoff_s) == ("retry", 2, 5.0, 0.1)
    assert (last.kind, last.target.service, last.target.region) == (
        "dead_letter",
        "sqs",
        "eu-west-1",
    )
    assert policy.then is last
    assert [clew.halt().kind, clew.skip().kind, clew.halt().then] == ["halt", "skip", None]
    assert repr(policy) == (
        f"retry(times=2, within='5s', backoff='100ms', then=dead_letter('{QUEUE}'))"
    )


def test_a_handler_carries_its_policy() -> None:
    policy = clew.retry(3, then=clew.halt())

    @clew.kinesis_handler(on_failure=policy, lanes=4, report=False)
    def each(record: clew.KinesisRecord) -> None:
        """Do it."""

    handler: Any = each
    assert handler.clew_policy is policy
    assert (handler.clew_options.lanes, handler.clew_options.report) == (4, False)
    assert handler.clew_options.source.name == "aws:kinesis"
    assert (handler.__name__, handler.__doc__) == ("each", "Do it.")


def each(record: Any) -> None:
    """What every kind may decorate."""


KINDS: dict[str, Callable[[Policy], Any]] = {
    "kinesis": lambda policy: clew.kinesis_handler(on_failure=policy)(each),
    "kinesis, lanes": lambda policy: clew.kinesis_handler(on_failure=policy, lanes=2)(each),
    "kinesis, batch": lambda policy: clew.kinesis_handler(on_failure=policy, batch=True)(each),
    "dynamodb": lambda policy: clew.dynamodb_handler(on_failure=policy)(each),
    "dynamodb, batch": lambda policy: clew.dynamodb_handler(on_failure=policy, batch=True)(each),
    "sqs": lambda policy: clew.sqs_handler(on_failure=policy)(each),
    "sqs, batch": lambda policy: clew.sqs_handler(on_failure=policy, batch=True)(each),
    "kafka": lambda policy: clew.kafka_handler(on_failure=policy)(each),
    "kafka, batch": lambda policy: clew.kafka_handler(on_failure=policy, batch=True)(each),
    "sns": lambda policy: clew.sns_handler(on_failure=policy)(each),
    "retry": lambda policy: clew.retry_handler(on_failure=policy)(each),
    "retry of a handler": lambda policy: clew.retry_handler(on_failure=policy)(
        clew.kinesis_handler(on_failure=clew.halt())(each)
    ),
    "firehose": lambda policy: clew.firehose_handler(on_failure=policy)(each),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_handler_of_every_kind_carries_it(kind: str) -> None:
    policy = clew.skip()
    assert KINDS[kind](policy).clew_policy is policy


def test_an_sns_handler_without_one_says_what_it_does() -> None:
    handler: Any = clew.sns_handler(each)
    assert handler.clew_policy == clew.halt()


def test_policies_are_values() -> None:
    first, second = (clew.retry(2, timedelta(seconds=5), then=clew.skip()) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
    assert first != clew.retry(2, 6, then=clew.skip())
    assert clew.halt() == clew.halt() != clew.skip()
    assert clew.dead_letter(QUEUE) == clew.dead_letter(QUEUE) != clew.halt()
    for policy in (first, clew.halt(), clew.dead_letter(QUEUE)):
        with pytest.raises(AttributeError, match="cannot be changed"):
            policy.kind = "other"


def test_waiting_in_the_queue_comes_after_waiting_in_the_function() -> None:
    later = clew.retry(times=4, backoff="30s", in_queue=True, then=clew.dead_letter(QUEUE))
    policy = clew.retry(times=2, within="5s", then=later)
    assert [one.kind for one in policy.chain()] == ["retry", "retry", "dead_letter"]
    assert "in_queue=True" in repr(later)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: wrong.retry(-1, then=wrong.halt()), "times of retry has to be a whole number"),
        (lambda: wrong.retry(0, then=wrong.halt()), "times of retry has to be a whole number"),
        (lambda: wrong.retry(True, then=wrong.halt()), "times of retry has to be a whole number"),
        (lambda: wrong.retry(1.5, then=wrong.halt()), "times of retry has to be a whole number"),
        (lambda: wrong.retry(then=wrong.halt()), "times= or within="),
        (lambda: wrong.retry(2), "retry needs then="),
        (lambda: wrong.retry(2, then="halt"), "retry needs then="),
        (lambda: wrong.retry(2, then=wrong.halt), "retry needs then="),
        (lambda: wrong.retry(within=0, then=wrong.halt()), "within of retry has to be more than 0"),
        (
            lambda: wrong.retry(within="-5s", then=wrong.halt()),
            "within of retry has to be more than",
        ),
        (lambda: wrong.retry(within="5 parsecs", then=wrong.halt()), "length of time like"),
        (lambda: wrong.retry(within=float("nan"), then=wrong.halt()), "within of retry has to be"),
        (lambda: wrong.retry(within=float("inf"), then=wrong.halt()), "within of retry has to be"),
        (lambda: wrong.retry(within=10**400, then=wrong.halt()), "a thousand years at most"),
        (lambda: wrong.retry(1, backoff="1e308d", then=wrong.halt()), "a thousand years at most"),
        (lambda: wrong.retry(1, backoff=float("nan"), then=wrong.halt()), "has to be at least 0"),
        (lambda: wrong.idempotency("t", ttl="1e300d"), "ttl of idempotency has to be a thousand"),
        (lambda: wrong.dead_letter(f"{QUEUE}\n"), "a dead letter's target has to be"),
        (lambda: wrong.dead_letter("arn:aws:sqs:eu-west-1:123456789012:a b"), "a dead letter's"),
        (
            lambda: wrong.retry(2, backoff=-1, then=wrong.halt()),
            "backoff of retry has to be at least",
        ),
        (lambda: wrong.retry(2, backoff=[], then=wrong.halt()), "length of time like"),
        (
            lambda: wrong.retry(2, then=wrong.retry(2, then=wrong.halt())),
            "cannot be another retry",
        ),
        (
            lambda: wrong.retry(2, in_queue=True, then=wrong.retry(2, then=wrong.halt())),
            "cannot be another retry",
        ),
        (
            lambda: wrong.retry(2, backoff="13h", in_queue=True, then=wrong.halt()),
            "12 hours at most",
        ),
        (lambda: wrong.retry(2, unless="ValueError", then=wrong.halt()), "kinds of exceptions"),
        (lambda: wrong.dead_letter(""), "is the environment variable"),
        (lambda: wrong.dead_letter(None), "a dead letter's target has to be"),
        (lambda: wrong.dead_letter("queue"), "a dead letter's target has to be"),
        (lambda: wrong.dead_letter("arn:aws:lambda:eu-west-1:1:function:f"), "target has to be"),
        (lambda: wrong.dead_letter("arn:aws:sns:eu-west-1:1:topic:subscription"), "target has to"),
        (lambda: wrong.dead_letter("https://example.com"), "a dead letter's target has to be"),
        (lambda: wrong.dead_letter("s3://No_Bucket/x"), "a dead letter's target has to be"),
        (lambda: wrong.dead_letter(QUEUE, claim_check=QUEUE), "claim_check of dead_letter has to"),
        (lambda: wrong.dead_letter("s3://bucket", claim_check="s3://other"), "claim_check is for"),
        (lambda: wrong.kinesis_handler(on_failure=wrong.halt), "on_failure has to be"),
        (lambda: wrong.kinesis_handler(on_failure=wrong.halt(), lanes=0), "lanes has to be"),
        (lambda: wrong.kinesis_handler(on_failure=wrong.halt(), lanes=2.0), "lanes has to be"),
        (lambda: wrong.kinesis_handler(on_failure=wrong.halt(), lanes=2, batch=True), "batch=True"),
        (lambda: wrong.kinesis_handler(on_failure=wrong.halt(), decode=7), "decode has to be"),
        (
            lambda: wrong.kinesis_handler(on_failure=wrong.halt(), idempotency="t"),
            "clew.idempotency",
        ),
        (lambda: wrong.kinesis_handler(on_failure=wrong.halt())(None), "decorates a function"),
        (
            lambda: wrong.kinesis_handler(
                on_failure=wrong.retry(2, in_queue=True, then=wrong.halt())
            ),
            "in_queue=True is for SQS",
        ),
        (lambda: wrong.idempotency(""), "a DynamoDB table"),
        (lambda: wrong.idempotency("t", ttl=0), "ttl of idempotency has to be more than 0"),
        (lambda: wrong.idempotency("t", key="id"), "key of idempotency has to be a function"),
    ],
)
def test_what_cannot_be_meant_is_said_in_one_sentence(make: Any, sentence: str) -> None:
    with pytest.raises(clew.ClewError, match=sentence) as raised:
        make()
    text = str(raised.value)
    assert "\n" not in text
    assert text.endswith(".")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("500ms", 0.5),
        ("5s", 5),
        ("2m", 120),
        ("1.5h", 5400),
        ("1d", 86400),
        ("5", 5),
        (5, 5),
        (0.25, 0.25),
        (timedelta(minutes=1), 60),
    ],
)
def test_lengths_of_time(written: Any, seconds: float) -> None:
    policy = clew.retry(within=written, then=clew.halt())
    assert isinstance(policy, Retry)
    assert policy.within_s == seconds


@pytest.mark.parametrize(
    ("written", "service", "address", "region"),
    [
        (QUEUE, "sqs", QUEUE, "eu-west-1"),
        ("http://localhost:4566/000000000000/dead", "sqs", None, ""),
        ("arn:aws:sqs:eu-west-1:123456789012:dead", "sqs", QUEUE, "eu-west-1"),
        (
            "arn:aws-cn:sqs:cn-north-1:123456789012:dead",
            "sqs",
            "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/dead",
            "cn-north-1",
        ),
        ("arn:aws:sns:eu-west-1:123456789012:dead", "sns", None, "eu-west-1"),
        ("s3://bucket/pre/fix", "s3", "bucket", ""),
        ("arn:aws:s3:::bucket/pre/fix", "s3", "bucket", ""),
    ],
)
def test_targets(written: str, service: str, address: str | None, region: str) -> None:
    policy = clew.dead_letter(written)
    assert isinstance(policy, DeadLetter)
    target = policy.target
    assert (target.service, target.address, target.region) == (service, address or written, region)
    assert target.prefix == ("pre/fix/" if service == "s3" else "")


def test_a_target_that_needs_boto3_says_so_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import importlib.util
    import sys

    monkeypatch.delitem(sys.modules, "boto3", raising=False)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "boto3" else find(name, *rest),
    )
    with pytest.raises(clew.ClewError, match="needs boto3, which is not installed"):
        clew.kinesis_handler(on_failure=clew.dead_letter(QUEUE))
