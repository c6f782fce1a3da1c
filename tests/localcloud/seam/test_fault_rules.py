"""Rules strike what they are for, as often as they say, for as long as they say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clew.localcloud.seam.aws_operations import Request
from clew.localcloud.seam.fault_rules import BadRuleError, Faults

SCOPE = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/kinesis/aws4_request, Signature=x"
THROTTLED = "ProvisionedThroughputExceededException"


def _call(operation: str = "PutRecord", records: int = 0) -> Request:
    body = json.dumps({"Records": [{}] * records}).encode()
    target = f"Kinesis_20131202.{operation}"
    return Request("POST", "/", "", {"authorization": SCOPE, "x-amz-target": target}, body)


def test_a_rule_strikes_its_own_operations_alone() -> None:
    faults = Faults()
    faults.add({"service": "kinesis", "operations": ["PutRecord"], "error": THROTTLED})
    assert faults.judge(_call("GetRecords")) is None
    verdict = faults.judge(_call("PutRecord"))
    assert verdict
    assert (verdict.operation, verdict.error) == ("PutRecord", THROTTLED)
    assert [(rule.calls, rule.struck) for rule in faults.rules()] == [(1, 1)]


def test_a_rate_is_kept_and_a_seed_strikes_the_same_calls_again() -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults()
        faults.add({"service": "kinesis", "error": THROTTLED, "rate": 0.3, "seed": seed})
        return [faults.judge(_call()) is not None for _ in range(1_000)]

    assert 240 < sum(struck(7)) < 360
    assert struck(7) == struck(7)
    assert struck(7) != struck(8)


def test_latencies_add_up_and_the_first_error_counts() -> None:
    faults = Faults()
    faults.add({"service": "kinesis", "latency_s": 0.5})
    faults.add({"service": "kinesis", "latency_s": 0.25, "error": "InternalFailure"})
    faults.add({"service": "kinesis", "error": THROTTLED})
    verdict = faults.judge(_call())
    assert verdict
    assert (verdict.delay_s, verdict.error) == (0.75, "InternalFailure")


def test_an_error_strikes_the_records_of_a_batch_one_by_one() -> None:
    faults = Faults()
    faults.add({"service": "kinesis", "error": THROTTLED, "rate": 0.5, "seed": 1})
    verdict = faults.judge(_call("PutRecords", records=100))
    assert verdict
    assert verdict.refused
    assert 30 < len(verdict.refused) < 70
    assert set(verdict.refused) <= set(range(100))


def test_a_rule_ends_by_itself() -> None:
    now = 100.0
    faults = Faults(clock=lambda: now)
    faults.add({"service": "kinesis", "timeout": True, "for_s": 60})
    verdict = faults.judge(_call())
    assert verdict
    assert verdict.hang
    now = 160.0
    assert faults.judge(_call()) is None
    assert faults.rules() == []


def test_one_rule_or_all_are_cleared() -> None:
    faults = Faults()
    first, second, _third = (
        faults.add({"service": "kinesis", "latency_s": 1}).id for _ in range(3)
    )
    assert faults.clear(second) == 1
    assert faults.clear(second) == 0
    assert first in {rule.id for rule in faults.rules()}
    assert faults.clear() == 2
    assert faults.rules() == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"service": "kinetics"}, "There is no service kinetics; did you mean .*kinesis?"),
        ({"service": ""}, "There is no service"),
        ({"service": "kinesis"}, "A fault is an error, a latency or a timeout"),
        ({"service": "kinesis", "operations": ["PutRecrd"]}, "no operation PutRecrd; did you mean"),
        ({"service": "kinesis", "error": "Throttled"}, "kinesis has no error Throttled"),
        ({"service": "kinesis", "latency_s": -1}, "latency_s has to be a number of at least 0"),
        ({"service": "kinesis", "timeout": True, "rate": 30}, "rate has to be a number from 0 to"),
        ({"service": "kinesis", "timeout": True, "for_s": "1m"}, "for_s has to be a number"),
        ({"service": "kinesis", "timeout": True, "error": THROTTLED}, "A call that times out"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(given: dict[str, Any], said: str) -> None:
    faults = Faults()
    with pytest.raises(BadRuleError, match=said):
        faults.add(given)
    assert faults.rules() == []
