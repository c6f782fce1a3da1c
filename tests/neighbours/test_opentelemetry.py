"""The real OpenTelemetry SDK and instrumentations in the same functions: one trace, both see it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests
from opentelemetry import baggage, context, propagate, trace
from opentelemetry.instrumentation import botocore as otel_botocore
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased

import clew
from clew import wire
from clew.neighbours.opentelemetry import context_of, event_context
from forward.aws import Queue, texts, unique

from .functions import Functions, http_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.sdk.trace import ReadableSpan

    from clew.localcloud import LocalCloud
    from forward.server import Server

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "00f067aa0ba902b7"


class Telemetry:
    """A tracer of OpenTelemetry's SDK, and the spans that it finished."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = self.provider.get_tracer("tests")

    def span(self, name: str) -> ReadableSpan:
        """The one finished span of that name."""
        (found,) = (span for span in self._exporter.get_finished_spans() if span.name == name)
        return found

    @property
    def trace_ids(self) -> set[str]:
        """The traces of all finished spans."""
        return {trace_id(span) for span in self._exporter.get_finished_spans()}


def trace_id(span: ReadableSpan | trace.Span) -> str:
    return f"{_context(span).trace_id:032x}"


def span_id(span: ReadableSpan | trace.Span) -> str:
    return f"{_context(span).span_id:016x}"


def _context(span: ReadableSpan | trace.Span) -> trace.SpanContext:
    found = span.get_span_context()
    assert found is not None
    return found


def parent_of(span: ReadableSpan) -> str:
    return f"{span.parent.span_id:016x}" if span.parent is not None else ""


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def functions(capsys: pytest.CaptureFixture[str]) -> Functions:
    return Functions(capsys)


@pytest.fixture(params=["clew first", "OpenTelemetry first"])
def both_hook_requests(request: pytest.FixtureRequest, telemetry: Telemetry) -> Iterator[None]:
    """requests, instrumented by both, in either order."""
    steps: list[Callable[[], object]] = [
        clew.instrument,
        lambda: RequestsInstrumentor().instrument(tracer_provider=telemetry.provider),
    ]
    undo: list[Callable[[], object]] = [clew.uninstrument, RequestsInstrumentor().uninstrument]
    if request.param == "OpenTelemetry first":
        steps.reverse()
        undo.reverse()
    for step in steps:
        step()
    yield
    for step in reversed(undo):
        step()


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


# Capture feeds OpenTelemetry.


def test_a_span_hangs_under_the_senders(telemetry: Telemetry, functions: Functions) -> None:
    def handler(event: Any, _: Any) -> None:
        with telemetry.tracer.start_as_current_span("work"):
            pass

    came = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=1"}
    functions.invoke("b", handler, http_event(came))
    work = telemetry.span("work")
    assert trace_id(work) == TRACE
    assert parent_of(work) == SPAN
    assert work.parent is not None
    assert work.parent.is_remote
    assert _context(work).trace_state.get("vendor") == "1"
    assert functions.lines[-1]["traceId"] == TRACE


def test_at_the_edge_a_span_is_a_root_of_the_trace_that_the_lines_have(
    telemetry: Telemetry, functions: Functions
) -> None:
    def handler(event: Any, _: Any) -> None:
        with telemetry.tracer.start_as_current_span("one"):
            pass
        with telemetry.tracer.start_as_current_span("two"):
            pass

    functions.invoke("edge", handler, http_event({}))
    assert telemetry.trace_ids == {functions.lines[-1]["traceId"]}
    assert parent_of(telemetry.span("one")) == parent_of(telemetry.span("two")) == ""


@pytest.mark.parametrize("xray", ["0", "1"])
def test_at_the_edge_the_sampler_decides_not_xray(
    xray: str, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = f"1-5759e988-bd862e3fe1be46a99427279{xray}"
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={root};Parent=53995c3f42cd8ad8;Sampled={xray}")
    kept, dropped = Telemetry(), TracerProvider(sampler=ParentBased(ALWAYS_OFF))

    def handler(event: Any, _: Any) -> bool:
        with kept.tracer.start_as_current_span("kept"):
            pass
        with dropped.get_tracer("tests").start_as_current_span("dropped") as span:
            return span.is_recording()

    assert functions.invoke("edge", handler, http_event({})) is False
    assert trace_id(kept.span("kept")) == wire.xray_to_trace_id(root)
    assert functions.lines[-1]["xrayTraceId"] == root


def test_a_senders_decision_not_to_sample_is_kept(
    telemetry: Telemetry, functions: Functions
) -> None:
    def handler(event: Any, _: Any) -> bool:
        with telemetry.tracer.start_as_current_span("work") as span:
            return span.is_recording()

    unsampled = http_event({"traceparent": f"00-{TRACE}-{SPAN}-00"})
    assert functions.invoke("b", handler, unsampled) is False


def test_each_record_of_a_batch_has_the_context_that_came_with_it(telemetry: Telemetry) -> None:
    traces = [f"{number:032x}" for number in (1, 2)]

    @clew.kinesis_handler(on_failure=clew.halt())
    def each(record: clew.Record) -> None:
        with telemetry.tracer.start_as_current_span(record.payload["name"]):
            pass

    each(kinesis_event(traces), None)
    for number, wanted in enumerate(traces):
        assert trace_id(telemetry.span(f"record-{number}")) == wanted


def test_a_span_of_the_whole_batch_stays_and_a_record_may_have_its_own(
    telemetry: Telemetry,
) -> None:
    traces = [f"{number:032x}" for number in (1, 2)]

    @clew.kinesis_handler(on_failure=clew.halt(), batch=True)
    def all_of_them(records: list[clew.Record]) -> None:
        with telemetry.tracer.start_as_current_span("batch") as batch:
            for record in records:
                with clew.use(record.correlation):
                    assert trace.get_current_span() is batch
                    with telemetry.tracer.start_as_current_span(
                        record.payload["name"], context=context_of(record.correlation)
                    ):
                        headers: dict[str, str] = clew.stamp({})
                        assert headers["traceparent"][3:35] == record.correlation.trace_id

    all_of_them(kinesis_event(traces), None)
    assert trace_id(telemetry.span("batch")) not in traces
    for number, wanted in enumerate(traces):
        assert trace_id(telemetry.span(f"record-{number}")) == wanted


def test_tasks_side_by_side_have_their_own(telemetry: Telemetry) -> None:
    clew.instrument()
    made = [clew.Correlation({"x-correlation-id": str(n)}, trace_id=f"{n:032x}") for n in (1, 2, 3)]

    async def one(correlation: clew.Correlation) -> None:
        with clew.use(correlation):
            await asyncio.sleep(0)
            with telemetry.tracer.start_as_current_span(correlation.id):
                await asyncio.sleep(0)

    async def every() -> None:
        await asyncio.gather(*(one(correlation) for correlation in made))

    asyncio.run(every())
    for correlation in made:
        assert trace_id(telemetry.span(correlation.id)) == correlation.trace_id


def test_a_span_that_is_around_the_handler_gives_the_edge_its_trace(
    telemetry: Telemetry, functions: Functions
) -> None:
    with telemetry.tracer.start_as_current_span("the instrumentation's") as around:
        functions.invoke("edge", lambda *_: trace.get_current_span() is around, http_event({}))
        came = http_event({"traceparent": f"00-{TRACE}-{SPAN}-01"})
        functions.invoke("behind", lambda *_: None, came)
    assert functions.lines_of("edge")[-1]["traceId"] == trace_id(around)
    assert functions.lines_of("behind")[-1]["traceId"] == TRACE


def test_event_context_reads_any_source(telemetry: Telemetry) -> None:
    sender = trace.get_current_span(event_context(kinesis_event([TRACE])))
    assert (trace_id(sender), span_id(sender)) == (TRACE, SPAN)
    assert event_context({"Records": "broken"}) == {}
    assert event_context(kinesis_event([TRACE, TRACE])) == {}


def test_without_a_request_in_hand_nothing_changes(telemetry: Telemetry) -> None:
    clew.instrument()
    assert context.get_current() == {}
    assert not trace.get_current_span().get_span_context().is_valid
    with telemetry.tracer.start_as_current_span("alone"):
        pass
    assert parent_of(telemetry.span("alone")) == ""


def test_it_is_undone() -> None:
    clew.instrument()
    clew.uninstrument()
    correlation = clew.Correlation({"x-correlation-id": "1"}, parent_span_id=SPAN)
    with clew.use(correlation):
        assert context.get_current() == {}


def test_opentelemetry_is_not_imported_for_it() -> None:
    import subprocess

    program = """
import sys, clew
clew.handler(lambda event, context: clew.stamp({}))({}, None)
assert not [name for name in sys.modules if "opentelemetry" in name]
from opentelemetry import trace
from clew.forward.on_import import _set
assert "clew.neighbours.opentelemetry" in _set
with clew.use(clew.Correlation({"x-correlation-id": "1"}, parent_span_id="00f067aa0ba902b7")):
    assert trace.get_current_span().get_span_context().span_id == 0x00F067AA0BA902B7
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


# A span that is current goes out.


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


# Baggage.


def test_baggage_passes_through_as_it_came(
    telemetry: Telemetry, functions: Functions, server: Server
) -> None:
    def sender(event: Any, _: Any) -> tuple[Any, ...]:
        inside = baggage.get_all()
        plain = requests.get(server.url(), timeout=5).json()["headers"]["baggage"]
        changed = context.attach(baggage.set_baggage("plan", "gold, 2"))
        try:
            more = requests.get(server.url(), timeout=5).json()["headers"]["baggage"]
        finally:
            context.detach(changed)
        cleared = context.attach(baggage.clear())
        try:
            none = requests.get(server.url(), timeout=5).json()["headers"].get("baggage")
        finally:
            context.detach(cleared)
        return dict(inside), plain, more, none

    came = "user=42;secret, region=eu%20west"
    inside, plain, more, none = functions.invoke("a", sender, http_event({"baggage": came}))
    assert inside["region"] == "eu west"
    assert plain == came
    assert "plan=gold%2C+2" in more
    assert more.startswith("user=42")
    assert none is None
    assert "eu%20west" not in json.dumps(functions.lines), "no log line has it"


@pytest.mark.usefixtures("both_hook_requests")
def test_baggage_goes_out_once_where_both_hook_the_client(
    functions: Functions, server: Server
) -> None:
    def sender(event: Any, _: Any) -> Any:
        return requests.get(server.url(), timeout=5).json()

    received = functions.invoke("a", sender, http_event({"baggage": "user=42"}))
    assert received["names"].count("baggage") == 1
    assert received["headers"]["baggage"] == "user=42"


def kinesis_event(traces: list[str]) -> dict[str, Any]:
    """A Kinesis event with a record per trace."""
    from base64 import b64encode

    records = []
    for number, one in enumerate(traces):
        fields = {"x-correlation-id": one, "traceparent": f"00-{one}-{SPAN}-01"}
        data = json.dumps({"__context": fields, "name": f"record-{number}"})
        records.append(
            {
                "eventSource": "aws:kinesis",
                "eventID": "shardId-000000000000:1",
                "kinesis": {"data": b64encode(data.encode()).decode(), "sequenceNumber": "1"},
            }
        )
    return {"Records": records}


def sqs_event(message: dict[str, Any]) -> dict[str, Any]:
    """What Lambda makes of a message that was received (Lambda guide, "Using … Amazon SQS")."""
    from base64 import b64encode

    attributes: dict[str, Any] = {}
    for name, one in message["MessageAttributes"].items():
        value = (
            {"binaryValue": b64encode(one["BinaryValue"]).decode()}
            if "BinaryValue" in one
            else {"stringValue": one["StringValue"]}
        )
        attributes[name] = {**value, "dataType": one["DataType"]}
    record = {
        "eventSource": "aws:sqs",
        "messageId": message["MessageId"],
        "body": message["Body"],
        "messageAttributes": attributes,
    }
    return {"Records": [record]}


def test_the_global_propagator_is_the_one_that_is_joined() -> None:
    """The hook is on the propagator that OpenTelemetry configures when nobody says otherwise."""
    assert {"traceparent", "tracestate"} <= propagate.get_global_textmap().fields
