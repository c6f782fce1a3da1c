"""Messages that wait for their next attempt in their queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import clew
from log.lines import logged

from .making import Context, body, fifo, sqs
from .queues import as_event, fails, messages, new_queue, outcomes

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.usefixtures("in_cloud")


@pytest.mark.parametrize("make", [sqs, fifo])
def test_a_message_waits_in_its_queue(cloud: LocalCloud, make: Any) -> None:
    is_fifo = make is fifo
    url, arn = new_queue(
        cloud, ".fifo" if is_fifo else "", **({"FifoQueue": "true"} if is_fifo else {})
    )
    client = cloud.client("sqs")
    for number in range(2):
        own = {"MessageGroupId": "g", "MessageDeduplicationId": str(number)} if is_fifo else {}
        client.send_message(QueueUrl=url, MessageBody=body(number).decode(), **own)
    policy = clew.retry(times=3, backoff="1h", in_queue=True, then=clew.skip())
    handler = clew.sqs_handler(on_failure=policy)(fails(0, 1))
    received = messages(cloud, url, 2)
    with cloud.faults.during("sqs", "ChangeMessageVisibilityBatch", latency_s=0.001) as fault:
        with logged() as lines:
            answer = handler(as_event(arn, received), Context())
        calls = next(one for one in cloud.faults if one.id == fault.id).calls
    assert len(answer["batchItemFailures"]) == 2
    assert calls == 1
    assert outcomes(lines) == ["returned"] * 2
    client.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "0"})
    assert messages(cloud, url, 0) == [], "they are hidden for longer than the queue would"
