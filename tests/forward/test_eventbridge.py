"""EventBridge: what a rule's target gets of an event."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from clew import payload
from clew.forward.eventbridge import PutEvents
from clew.forward.limits import EVENTBRIDGE_REQUEST

from .aws import Queue, unique
from .conftest import fields_of, only

if TYPE_CHECKING:
    import clew
    from clew.invocation import Invocation
    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud


class Bus:
    """A bus with a rule whose target is a queue."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.events = cloud.client("events")
        self.name, self.queue = unique("bus"), Queue(cloud, "events")
        self.events.create_event_bus(Name=self.name)
        pattern = json.dumps({"source": ["orders"]})
        self.events.put_rule(Name=self.name, EventBusName=self.name, EventPattern=pattern)
        self.events.put_targets(
            Rule=self.name,
            EventBusName=self.name,
            Targets=[{"Id": "1", "Arn": self.queue.arn}],
        )

    def entry(self, detail: str, **more: Any) -> dict[str, Any]:
        """An event for that rule."""
        return {
            "EventBusName": self.name,
            "Source": "orders",
            "DetailType": "placed",
            "Detail": detail,
            **more,
        }


@pytest.fixture(scope="module")
def bus(cloud: LocalCloud) -> Bus:
    return Bus(cloud)


def test_each_event_carries_them_in_its_detail(
    bus: Bus, invocation: Invocation, in_force: clew.Correlation
) -> None:
    entries = [bus.entry(f'{{"n": {n}}}') for n in range(2)]
    before = json.dumps(entries)
    answer = bus.events.put_events(Entries=entries)
    assert json.dumps(entries) == before
    details = {}
    for message in bus.queue.take(2):
        detail = json.loads(message["Body"])["detail"]
        details[detail.pop("__context")["traceparent"]] = detail
    assert len(details) == 2
    for number, (sent, result) in enumerate(zip(invocation.sent, answer["Entries"], strict=True)):
        assert details[fields_of(sent)["traceparent"]] == {"n": number}
        assert (sent.service, sent.operation, sent.target) == ("eventbridge", "PutEvents", bus.name)
        assert sent.position == {"eventId": result["EventId"]}


def test_the_detail_stays_text_and_is_else_the_same(in_force: clew.Correlation) -> None:
    detail = '{"name": "caf\\u00e9 é", "price": 1.50}'
    params = {"Entries": [{"Source": "orders", "DetailType": "placed", "Detail": detail}]}
    sent = only(PutEvents.stamp(params, in_force))
    stamped = params["Entries"][0]["Detail"]
    assert isinstance(stamped, str)
    assert payload.take(stamped.encode()).data == detail.encode()
    assert sent.target == "default"


def test_an_event_without_a_detail_goes_as_it_is(in_force: clew.Correlation) -> None:
    entry = {"Source": "orders", "DetailType": "placed"}
    params = {"Entries": [entry]}
    assert not only(PutEvents.stamp(params, in_force)).carried
    assert params == {"Entries": [entry]}


def test_an_event_that_the_bus_did_not_take_is_an_error(in_force: clew.Correlation) -> None:
    entry = {"Source": "orders", "DetailType": "placed", "Detail": "{}"}
    good, bad = PutEvents.stamp({"Entries": [entry, entry]}, in_force)
    failed = {"ErrorCode": "InternalFailure", "ErrorMessage": "no"}
    PutEvents.answered([good, bad], {"Entries": [{"EventId": "1"}, failed]})
    assert (good.outcome, bad.outcome, bad.error) == ("ok", "error", "InternalFailure: no")


@pytest.mark.parametrize("limit", EVENTBRIDGE_REQUEST)
def test_entries_together_are_not_pushed_over_the_limit(
    limit: int, in_force: clew.Correlation
) -> None:
    own = {
        "Source": "é",
        "DetailType": "t",
        "Resources": ["arn:1"],
        "Time": datetime(2026, 1, 1, tzinfo=UTC),
    }
    counted = len("é".encode()) + len("t") + len("arn:1") + 14
    detail = '{"pad":"%s"}' % ("x" * (limit // 2 - counted - 200))
    params: Any = {"Entries": [{**own, "Detail": detail}] * 2}
    sent = PutEvents.stamp(params, in_force)
    total = sum(counted + len(entry["Detail"]) for entry in params["Entries"])
    assert limit - 300 < total <= limit
    assert [one.carried for one in sent] == [True, False]
