"""The real OpenTelemetry SDK and instrumentations: a span that is current goes out, once."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests
from opentelemetry import propagate, trace
from opentelemetry.instrumentation import botocore as otel_botocore

import clew
from clew import wire
from forward.aws import Queue, texts, unique

from .functions import Functions, http_event
from .telemetry import SPAN, TRACE, Telemetry, parent_of, span_id, sqs_event, trace_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.localcloud import LocalCloud
    from forward.server import Server


def _botocore() -> Any:
    made: Any = otel_botocore.BotocoreInstrumentor  # it has no types
    return made()


@pytest.fixture
def otel_hooks_botocore(telemetry: Telemetry) -> Iterator[None]:
    """botocore, instrumented by OpenTelemetry."""
    _botocore().instrument(tracer_provider=telemetry.provider)
    yield
    clew.uninstrument()  # the last to hook is the first to leave
    _botocore().uninstrument()


def test_what_is_sent_during_a_span_hangs_under_it_and_each_send_is_known_by_its_own(
    telemetry: Telemetry, functions: Functions, server: Server
) -> None:
    def sender(event: Any, _: Any) -> list[dict[str, str]]:
        with telemetry.tracer.start_as_current_span("a"):
            return [requests.get(server.url(), timeout=5).json()["headers"] for _ in range(3)]

    def receiver(event: Any, _: Any) -> None:
        with telemetry.tracer.start_as_current_span("b"):
            pass

    received = functions.invoke("a", sender, http_event({}))
    outer = telemetry.span("a")
    wanted = f"00-{trace_id(outer)}-{span_id(outer)}-"
    assert all(headers["traceparent"].startswith(wanted) for headers in received)
    functions.invoke("b", receiver, http_event(received[1]))
    assert telemetry.trace_ids == {trace_id(outer)}
    assert parent_of(telemetry.span("b")) == span_id(outer)
    story = functions.story("edge-1")
    assert [hop.joined for hop in story.hops] == [False, True]
    assert [send.received_by for send in story.hops[0].sends] == [(), (2,), ()]


def test_the_state_of_others_stays_behind_ours(telemetry: Telemetry) -> None:
    clew.instrument()
    state = trace.TraceState([("vendor", "1"), ("other", "2")])
    remote = trace.SpanContext(1, 2, is_remote=True, trace_state=state)
    with (
        trace.use_span(trace.NonRecordingSpan(remote)),
        clew.use(clew.Correlation({"x-correlation-id": "1"})),
    ):
        headers: dict[str, str] = clew.stamp({})
    assert headers["traceparent"] == f"00-{1:032x}-{2:016x}-00"
    ours, others = headers["tracestate"].split(",", 1)
    assert ours.startswith("clew=")
    assert others == "vendor=1,other=2"
    found = wire.check(headers.items())
    assert (found.tracestate, found.remote_span_id) == (others, f"{2:016x}")
    assert ours == f"clew={found.parent_span_id}-{2:016x}"


def test_a_state_that_another_passed_on_under_its_own_span_is_void() -> None:
    passed_on = {
        "traceparent": f"00-{TRACE}-{SPAN}-01",
        "tracestate": f"vendor=1,clew={'a' * 16}-{'b' * 16}",
    }
    found = wire.check(passed_on.items())
    assert (found.parent_span_id, found.remote_span_id) == (SPAN, "")
    assert found.tracestate == "vendor=1"


@pytest.mark.usefixtures("both_hook_requests")
def test_where_both_hook_a_client_one_traceparent_goes_out(
    telemetry: Telemetry, functions: Functions, server: Server
) -> None:
    def sender(event: Any, _: Any) -> list[dict[str, Any]]:
        with telemetry.tracer.start_as_current_span("a"):
            return [requests.get(server.url(), timeout=5).json()]

    def receiver(event: Any, _: Any) -> None:
        with telemetry.tracer.start_as_current_span("b"):
            pass

    (received,) = functions.invoke("a", sender, http_event({}))
    assert received["names"].count("traceparent") == 1
    assert received["headers"]["x-correlation-id"] == "edge-1"
    client = telemetry.span("GET")
    assert parent_of(client) == span_id(telemetry.span("a"))
    assert received["headers"]["traceparent"][3:52] == f"{trace_id(client)}-{span_id(client)}"
    functions.invoke("b", receiver, http_event(received["headers"]))
    assert parent_of(telemetry.span("b")) == span_id(client)
    assert telemetry.trace_ids == {trace_id(client)}
    (sent,) = functions.lines_of("a")[-1]["sent"]
    (came,) = functions.lines_of("b")[-1]["received"]
    assert came["parent"] == sent["span"]
    assert (sent["trace"], sent["status"]) == (trace_id(client), 200)


@pytest.mark.usefixtures("both_hook_requests")
def test_a_request_within_a_request_is_another_send(
    telemetry: Telemetry, functions: Functions, server: Server
) -> None:
    def token(request: requests.PreparedRequest) -> requests.PreparedRequest:
        requests.get(server.url("/token"), timeout=5)
        return request

    def look(response: requests.Response, **_: Any) -> None:
        requests.get(server.url("/look"), timeout=5)

    def sender(event: Any, _: Any) -> Any:
        with requests.Session() as session:
            session.hooks["response"].append(look)
            return session.get(server.url("/main"), auth=token, timeout=5).json()["headers"]

    received = functions.invoke("a", sender, http_event({}))
    sent = functions.lines_of("a")[-1]["sent"]
    paths = sorted(one["target"].rpartition("/")[2] for one in sent)
    assert paths == ["look", "main", "token"]
    assert len({one["span"] for one in sent}) == len(sent)
    functions.invoke("b", lambda *_: None, http_event(received))
    (main,) = (one for one in sent if one["target"].endswith("/main"))
    (came,) = functions.lines_of("b")[-1]["received"]
    assert came["parent"] == main["span"]


@pytest.fixture
def topic(cloud: LocalCloud) -> tuple[str, Queue]:
    """A topic, and a queue that gets its messages as they were published."""
    sns, queue = cloud.client("sns"), Queue(cloud, "otel")
    arn = sns.create_topic(Name=unique("otel"))["TopicArn"]
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue.arn, Attributes=raw)
    return arn, queue


@pytest.mark.local_cloud
@pytest.mark.usefixtures("otel_hooks_botocore")
def test_each_message_to_sns_is_known_by_its_own_span(
    cloud: LocalCloud, topic: tuple[str, Queue], telemetry: Telemetry, functions: Functions
) -> None:
    """Also of a batch, to all of which OpenTelemetry gives the same."""
    sns, (arn, queue) = cloud.client("sns"), topic

    def sender(event: Any, _: Any) -> None:
        entries = [{"Id": str(n), "Message": str(n)} for n in range(3)]
        sns.publish_batch(TopicArn=arn, PublishBatchRequestEntries=entries)

    functions.invoke("a", sender, http_event({}))
    client = telemetry.span(f"{arn.rpartition(':')[2]} send")
    for message in sorted(queue.take(3), key=lambda message: str(message["Body"])):
        carried = texts(message["MessageAttributes"])["traceparent"]
        assert carried.startswith(f"00-{trace_id(client)}-{span_id(client)}-")
        event = sqs_event(message)
        assert clew.capture(event).correlation.remote_span_id == span_id(client)
        functions.invoke("b", lambda *_: None, event)
    story = functions.story("edge-1")
    assert [send.received_by for send in story.hops[0].sends] == [(2,), (3,), (4,)]
    assert not story.breaks


@pytest.mark.local_cloud
@pytest.mark.usefixtures("otel_hooks_botocore")
def test_a_message_of_many_attributes_has_all_in_one(
    cloud: LocalCloud, topic: tuple[str, Queue], telemetry: Telemetry, functions: Functions
) -> None:
    """What OpenTelemetry put on goes with it: there is room for ten."""
    sns, (arn, queue) = cloud.client("sns"), topic
    names = {f"own-{n}" for n in range(6)}

    def sender(event: Any, _: Any) -> None:
        own = {name: {"DataType": "String", "StringValue": "1"} for name in names}
        sns.publish(TopicArn=arn, Message="crowded", MessageAttributes=own)

    functions.invoke("a", sender, http_event({}))
    (message,) = queue.take()
    assert set(message["MessageAttributes"]) == {*names, "clew-context"}
    came = clew.capture(sqs_event(message)).correlation
    assert came.id == "edge-1"
    assert came.remote_span_id == span_id(telemetry.span(f"{arn.rpartition(':')[2]} send"))


@pytest.mark.local_cloud
@pytest.mark.usefixtures("otel_hooks_botocore")
def test_each_record_to_kinesis_is_known_by_its_own_span(
    cloud: LocalCloud, telemetry: Telemetry, functions: Functions
) -> None:
    kinesis, stream = cloud.client("kinesis"), unique("otel")
    kinesis.create_stream(StreamName=stream, ShardCount=1)

    def sender(event: Any, _: Any) -> None:
        kinesis.put_records(
            StreamName=stream,
            Records=[{"Data": b'{"a": 1}', "PartitionKey": "1"} for _ in range(3)],
        )

    functions.invoke("a", sender, http_event({}))
    shard = kinesis.list_shards(StreamName=stream)["Shards"][0]["ShardId"]
    begin = kinesis.get_shard_iterator(
        StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )
    put = kinesis.get_records(ShardIterator=begin["ShardIterator"])["Records"]
    contexts = [json.loads(record["Data"])["__context"] for record in put]
    client = telemetry.span("Kinesis.PutRecords")
    assert {one["traceparent"][36:52] for one in contexts} == {span_id(client)}
    found = [wire.check(one.items()) for one in contexts]
    spans = [one["span"] for one in functions.lines_of("a")[-1]["sent"]]
    assert [one.parent_span_id for one in found] == spans
    assert len(set(spans)) == len(spans)
    assert {one.remote_span_id for one in found} == {span_id(client)}


@pytest.mark.local_cloud
@pytest.mark.usefixtures("otel_hooks_botocore")
def test_an_execution_that_is_started_again_has_the_same_input(
    cloud: LocalCloud, telemetry: Telemetry
) -> None:
    """Step Functions refuses a name that comes again with another input."""
    states = cloud.client("stepfunctions")
    passing = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    machine = states.create_state_machine(
        name=unique("otel"),
        definition=json.dumps(passing),
        roleArn="arn:aws:iam::000000000000:role/any",
    )["stateMachineArn"]
    clew.instrument()
    inputs = []
    for name in ("first", "second"):
        with (
            clew.use(clew.Correlation({"x-correlation-id": "1"}, trace_id=TRACE)),
            telemetry.tracer.start_as_current_span(name),
        ):
            sent: list[Any] = []
            states.meta.events.register_last(
                "before-call.stepfunctions.StartExecution",
                lambda params, sent=sent, **_: sent.append(params["body"]),
            )
            start = {"stateMachineArn": machine, "name": f"run-{name}", "input": "{}"}
            states.start_execution(**start)
            with contextlib.suppress(states.exceptions.ExecutionAlreadyExists):  # it has ended
                states.start_execution(**start)
            inputs.append([json.loads(body)["input"] for body in sent[:2]])
    for one, again in inputs:
        assert one == again


class InjectingTransport(httpx.HTTPTransport):
    """Does below the client what OpenTelemetry's instrumentation of httpx does there."""

    def __init__(self, tracer: trace.Tracer) -> None:
        super().__init__()
        self._tracer = tracer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._tracer.start_as_current_span("below"):
            propagate.inject(request.headers)
            return super().handle_request(request)


def test_a_span_that_is_put_on_below_clew_is_the_one_of_the_send(
    telemetry: Telemetry, functions: Functions, server: Server
) -> None:
    def sender(event: Any, _: Any) -> Any:
        with httpx.Client(transport=InjectingTransport(telemetry.tracer)) as client:
            return client.get(server.url()).json()

    received = functions.invoke("a", sender, http_event({}))
    below = telemetry.span("below")
    assert received["names"].count("traceparent") == 1
    assert received["headers"]["traceparent"][36:52] == span_id(below)
    (sent,) = functions.lines_of("a")[-1]["sent"]
    assert (sent["span"], sent["trace"]) == (span_id(below), trace_id(below))
