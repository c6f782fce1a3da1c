"""Dead letters that come back, and the same function that takes their records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import clew
from clew.streams.envelope import unseal
from log.lines import invocation, logged

from .making import Context, body, event, message, number_of, sqs
from .queues import as_event, batch, fails, large, messages, new_queue, outcomes

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.usefixtures("in_cloud")


def place_again(policy: clew.Policy, each: Any, **options: Any) -> Any:
    return clew.retry_handler(on_failure=policy, **options)(each)


@pytest.mark.parametrize("how", ["function", "handler"])
def test_the_same_function_gets_the_same_record_in_the_same_story(
    cloud: LocalCloud, queue: tuple[str, str], how: str
) -> None:
    seen: list[Any] = []
    broken = [True]

    def each(record: clew.KinesisRecord) -> None:
        assert clew.current() is record.correlation
        if broken[0]:
            raise KeyError("not yet")
        seen.append(record)

    handler = clew.kinesis_handler(
        on_failure=clew.retry(1, backoff=0, then=clew.dead_letter(queue[0]))
    )(each)
    with logged() as first:
        handler(batch(2), Context())
    broken[0] = False
    received = messages(cloud, queue[0], 2)
    again = place_again(clew.halt(), each if how == "function" else handler)
    with logged() as second:
        assert again(as_event(queue[1], received), Context()) == {"batchItemFailures": []}
    assert sorted(number_of(record) for record in seen) == [0, 1]
    record = next(one for one in seen if number_of(one) == 1)
    assert isinstance(record, clew.KinesisRecord)
    assert (record.partition_key, record.sequence_number[-4:]) == ("key-1", "0001")
    assert record.data == body(1)
    assert record.correlation.id == "request-1"
    (sent,) = [one for one in invocation(first)["sent"] if one["id"] == "request-1"]
    (entry,) = [one for one in invocation(second)["received"] if one["id"] == "request-1"]
    assert entry["parent"] == sent["span"], "both lives are one story"
    assert (entry["outcome"], entry["attempts"]) == ("done", 1)
    assert "messageId" in entry


def test_after_its_own_limit_the_envelope_is_parked(
    cloud: LocalCloud, queue: tuple[str, str]
) -> None:
    last, _ = new_queue(cloud)
    each = fails(0)
    handler = clew.kinesis_handler(on_failure=clew.dead_letter(queue[0]))(each)
    with logged():
        handler(batch(1), Context())
    received = messages(cloud, queue[0])
    before = unseal(received[0]["Body"])
    policy = clew.retry(times=2, backoff="1h", in_queue=True, then=clew.dead_letter(last))
    again = place_again(policy, each)
    came = as_event(queue[1], received)
    for receives in ("1", "2"):
        came["Records"][0]["attributes"]["ApproximateReceiveCount"] = receives
        came["Records"][0]["attributes"]["ApproximateFirstReceiveTimestamp"] = ""
        with logged() as lines:
            answer = again(came, Context())
        assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == [
            received[0]["MessageId"]
        ]
        assert outcomes(lines) == ["returned"]
    came["Records"][0]["attributes"]["ApproximateReceiveCount"] = "3"
    with logged() as lines:
        assert again(came, Context()) == {"batchItemFailures": []}
    assert outcomes(lines) == ["dead-lettered"]
    (one,) = messages(cloud, last)
    parked = unseal(one["Body"])
    assert (parked.id, parked.lives, parked.attempts) == (before.id, 2, 2)
    assert parked.payload == before.payload
    assert parked.members["history"][0]["error"] == {"type": "KeyError", "message": "0"}
    assert parked.correlation_id == "request-0"


def test_what_is_no_dead_letter_fails_at_once_and_alone(
    cloud: LocalCloud, queue: tuple[str, str]
) -> None:
    last, _ = new_queue(cloud)
    seen: list[Any] = []
    policy = clew.retry(5, backoff="1m", then=clew.dead_letter(last))
    again = place_again(policy, seen.append)
    later = {"clewDeadLetter": 99}
    raws = [sqs(0, ""), {**sqs(1, ""), "body": json.dumps(later)}]
    with logged() as lines:
        assert again(event(raws), Context()) == {"batchItemFailures": []}
    assert seen == []
    assert outcomes(lines) == ["dead-lettered"] * 2
    errors = {unseal(one["Body"]).members["error"]["message"] for one in messages(cloud, last, 2)}
    assert len(errors) == 2
    assert any("up to 1: update clew" in error for error in errors)


def test_a_claim_that_cannot_be_fetched_is_returned(
    cloud: LocalCloud, queue: tuple[str, str]
) -> None:
    cloud.client("s3").create_bucket(Bucket="slow-claims")
    last, _ = new_queue(cloud)
    policy = clew.dead_letter(queue[0], claim_check="s3://slow-claims/x")
    handler = clew.kinesis_handler(on_failure=policy)(fails(0))
    with logged():
        handler(event([large(0, 300_000)]), Context())
    came = as_event(queue[1], messages(cloud, queue[0]))
    again = place_again(clew.dead_letter(last), fails())
    with cloud.faults.during("s3", "GetObject", error="SlowDown"), logged() as lines:
        answer = again(came, Context())
    assert len(answer["batchItemFailures"]) == 1
    assert outcomes(lines) == ["returned"], "it may be there another time"
    s3 = cloud.client("s3")
    (found,) = s3.list_objects_v2(Bucket="slow-claims")["Contents"]
    s3.delete_object(Bucket="slow-claims", Key=found["Key"])
    with logged() as lines:
        again(came, Context())
    assert outcomes(lines) == ["dead-lettered"]
    (one,) = messages(cloud, last)
    assert "is gone from s3://slow-claims/" in unseal(one["Body"]).members["error"]["message"]


def test_a_topic_may_give_the_second_chance(cloud: LocalCloud, queue: tuple[str, str]) -> None:
    handler = clew.kinesis_handler(on_failure=clew.dead_letter(queue[0]))(fails(0))
    with logged():
        handler(batch(1), Context())
    (one,) = messages(cloud, queue[0])
    seen: list[Any] = []
    again = place_again(clew.halt(), seen.append)
    with logged():
        again(message(one["Body"]), Context())
    assert [number_of(record) for record in seen] == [0]
    with logged(), pytest.raises(KeyError):
        place_again(clew.halt(), fails(0))(message(one["Body"]), Context())
