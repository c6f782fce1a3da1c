"""What holds for every HTTP client: one request, one stamp, one entry; its errors its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import clew
from clew import wire
from clew.capture.receive import receive
from clew.forward import http_headers

from .clients import CLIENTS, FOLLOWING, async_by_aiohttp, async_by_httpx
from .conftest import FIELDS, SPAN, TRACE, fields_of, only

if TYPE_CHECKING:
    from clew.invocation import Invocation

    from .clients import Client
    from .server import Server

every_client = pytest.mark.parametrize(
    ("name", "send"), CLIENTS.values(), ids=[*CLIENTS], scope="module"
)
every_following_client = pytest.mark.parametrize(
    "send", [CLIENTS[name][1] for name in FOLLOWING], ids=FOLLOWING
)


@every_client
def test_the_fields_go_along_once_and_the_request_is_noted(
    name: str, send: Client, server: Server, invocation: Invocation, in_force: clew.Correlation
) -> None:
    status, got = send(server.url(), {"x-mine": "1"})
    sent = only(invocation.sent)
    assert status == 200
    assert fields_of(sent).items() <= got["headers"].items()
    assert got["headers"]["x-mine"] == "1"
    assert len(set(got["names"])) == len(got["names"]), "a header is there twice"
    assert (sent.service, sent.operation, sent.status, sent.outcome) == ("http", "GET", 200, "ok")
    assert sent.target == server.url("/orders"), "no query: it may hold a secret"
    assert sent.correlation is in_force
    assert sent.carried


@every_client
def test_spaces_around_a_value_break_no_request(
    name: str, send: Client, server: Server, invocation: Invocation, instrumented: None
) -> None:
    """HTTP has no such values, and a client may refuse to send them."""
    came = [
        ("x-correlation-id", " lead"),
        ("x-correlation-from", "the queue "),
        ("user-agent", " u a "),
        ("traceparent", f"00-{TRACE}-{SPAN}-01"),
        ("tracestate", "a=1, b=2 "),
        ("baggage", " c=3, d=4\t"),
    ]
    with clew.use(receive(wire.check(came), "own", invocation)):
        clew.bind(user="bob ", nobody=" ")
        status, got = send(server.url())
    by_hand = clew.Correlation({"x-correlation-id": " hand "}, tracestate="a=1 ", baggage="c=3 ")
    with clew.use(by_hand):
        _, got_by_hand = send(server.url())
    assert status == 200
    headers = got["headers"]
    assert headers["x-correlation-id"] == "lead"
    assert headers["x-correlation-from"] == "the queue"
    assert headers["x-correlation-user"] == "bob"
    assert "x-correlation-nobody" not in headers
    assert headers["user-agent"] == "u a"
    assert headers["tracestate"] == "a=1, b=2"
    assert headers["baggage"] == "c=3, d=4"
    assert got_by_hand["headers"]["x-correlation-id"] == "hand"
    assert got_by_hand["headers"]["baggage"] == "c=3"


@every_client
def test_the_status_is_noted_whatever_it_is(
    name: str, send: Client, server: Server, invocation: Invocation, in_force: clew.Correlation
) -> None:
    assert send(server.url("/?status=503"))[0] == 503
    assert (only(invocation.sent).status, only(invocation.sent).outcome) == (503, "ok")


@every_client
def test_without_a_correlation_nothing_is_added(
    name: str, send: Client, server: Server, instrumented: None
) -> None:
    _, got = send(server.url())
    assert not got["headers"].keys() & (fields_of_any() - {"user-agent"})


@every_client
def test_after_uninstrument_nothing_is_added(
    name: str, send: Client, server: Server, correlation: clew.Correlation, invocation: Invocation
) -> None:
    clew.instrument()
    clew.uninstrument()
    with clew.use(correlation):
        _, got = send(server.url())
    assert not got["headers"].keys() & (fields_of_any() - {"user-agent"})
    assert invocation.sent == []


@every_client
def test_instrumented_twice_it_is_stamped_once(
    name: str, send: Client, server: Server, invocation: Invocation, in_force: clew.Correlation
) -> None:
    clew.instrument()
    _, got = send(server.url())
    assert got["names"].count("traceparent") == 1
    assert len(invocation.sent) == 1


@every_client
def test_a_switch_silences_a_client_and_all_that_it_uses(
    name: str,
    send: Client,
    server: Server,
    invocation: Invocation,
    in_force: clew.Correlation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLEW_FORWARD", f"-sns, -{name}")
    _, got = send(server.url())
    assert "traceparent" not in got["headers"]
    assert invocation.sent == []


@every_client
def test_clew_forward_off_is_all_of_them(
    name: str,
    send: Client,
    server: Server,
    invocation: Invocation,
    in_force: clew.Correlation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLEW_FORWARD", "off")
    _, got = send(server.url())
    assert "traceparent" not in got["headers"]
    assert invocation.sent == []


@every_client
@pytest.mark.parametrize(
    ("allowed", "stamped"),
    [("127.0.0.1", True), ("*.example.com, 127.*", True), ("*.example.com", False)],
)
def test_only_hosts_with_leave_get_the_fields(
    name: str,
    send: Client,
    allowed: str,
    stamped: bool,
    server: Server,
    invocation: Invocation,
    in_force: clew.Correlation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLEW_FORWARD_HOSTS", allowed)
    _, got = send(server.url())
    assert ("traceparent" in got["headers"]) is stamped
    assert len(invocation.sent) == stamped


@every_client
def test_what_the_user_put_there_stays(
    name: str, send: Client, server: Server, invocation: Invocation, in_force: clew.Correlation
) -> None:
    own = {"X-Correlation-User-Id": "theirs", "User-Agent": "mine/1"}
    kept = dict(own)
    _, got = send(server.url(), own)
    assert own == kept, "the caller's own dict was changed"
    assert got["headers"]["x-correlation-user-id"] == "theirs"
    assert got["headers"]["user-agent"] == "mine/1"
    assert got["headers"]["x-correlation-id"] == "request-1"
    assert len(set(got["names"])) == len(got["names"])


@every_client
def test_what_is_stamped_already_is_taken_over(
    name: str, send: Client, server: Server, invocation: Invocation, in_force: clew.Correlation
) -> None:
    other = clew.Correlation({"x-correlation-id": "other"})
    headers: dict[str, str] = clew.stamp({}, other)
    _, got = send(server.url(), headers)
    sent = only(invocation.sent)
    assert got["headers"]["traceparent"] == headers["traceparent"]
    assert f"-{sent.span_id}-" in headers["traceparent"]
    assert (sent.correlation.id, sent.correlation.trace_id) == ("other", other.trace_id)
    assert sent.correlation.span_id == in_force.span_id, "it was sent during this receive"


@every_client
def test_a_request_signed_by_hand_keeps_its_headers(
    name: str, send: Client, server: Server, in_force: clew.Correlation
) -> None:
    own = {
        "authorization": "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=user-agent, Signature=0",
        "user-agent": "python-requests/2.0",
    }
    _, got = send(server.url(), own)
    assert own.items() <= got["headers"].items()
    assert "traceparent" in got["headers"]


@every_client
def test_requests_of_the_aws_sdks_are_left_alone(
    name: str, send: Client, server: Server, invocation: Invocation, in_force: clew.Correlation
) -> None:
    _, got = send(server.url(), {"amz-sdk-invocation-id": "1"})
    assert "traceparent" not in got["headers"]
    assert invocation.sent == []


@every_client
def test_no_answer_is_an_error_and_the_users_own_exception(
    name: str, send: Client, invocation: Invocation, in_force: clew.Correlation
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
        with pytest.raises(Exception) as with_clew:
            send(url)
        clew.uninstrument()
        with pytest.raises(Exception) as without:
            send(url)
    assert type(with_clew.value) is type(without.value)
    sent = only(invocation.sent)
    assert sent.outcome == "error"
    assert sent.error


@every_client
def test_a_server_that_hangs_up_is_an_error(
    name: str, send: Client, server: Server, invocation: Invocation, in_force: clew.Correlation
) -> None:
    with pytest.raises(Exception, match=r"(?i)remote|server|connection"):
        send(server.url("/hang-up"))
    assert invocation.sent
    assert {sent.outcome for sent in invocation.sent} == {"error"}


@every_client
def test_a_failure_inside_clew_reaches_nobody(
    name: str,
    send: Client,
    server: Server,
    in_force: clew.Correlation,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(http_headers, "new_sent", fail)
    status, got = send(server.url())
    assert status == 200
    assert "traceparent" not in got["headers"]
    assert "RuntimeError: broken" in caplog.text


@every_client
def test_a_request_cannot_be_noted_but_is_sent(
    name: str,
    send: Client,
    server: Server,
    in_force: clew.Correlation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(http_headers, "note", fail)
    assert send(server.url())[0] == 200


@every_following_client
def test_a_redirect_to_a_host_without_leave_drops_the_fields(
    send: Client, server: Server, in_force: clew.Correlation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEW_FORWARD_HOSTS", "127.0.0.1")
    server.received.clear()
    _, got = send(server.redirect(server.elsewhere()), {"x-mine": "1"})
    first, second = server.received
    assert "traceparent" in first["headers"]
    assert second["headers"]["x-mine"] == "1"
    assert not got["headers"].keys() & (fields_of_any() - {"user-agent"})


@pytest.mark.parametrize("name", sorted(set(FOLLOWING) - {"urllib"}))
def test_such_a_redirect_drops_those_of_a_stamped_request_too(
    name: str, server: Server, in_force: clew.Correlation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEW_FORWARD_HOSTS", "127.0.0.1")
    headers = clew.stamp({"x-mine": "1"})
    _, got = CLIENTS[name][1](server.redirect(server.elsewhere()), headers)
    assert got["headers"]["x-mine"] == "1"
    assert not got["headers"].keys() & (fields_of_any() - {"user-agent"})


@every_following_client
def test_a_redirect_within_the_same_host_keeps_them(
    send: Client, server: Server, invocation: Invocation, in_force: clew.Correlation
) -> None:
    status, got = send(server.redirect(server.url("/there")))
    assert status == 200
    assert got["path"] == "/there"
    assert got["names"].count("traceparent") == 1
    assert FIELDS.items() <= got["headers"].items()
    assert f"-{invocation.sent[-1].span_id}-" in got["headers"]["traceparent"]
    assert invocation.sent[-1].status == 200


def test_threads_send_under_their_own_ids(server: Server, instrumented: None) -> None:
    together = threading.Barrier(len(CLIENTS))

    def run(job: tuple[int, Client]) -> None:
        number, send = job
        together.wait(5)
        for turn in range(5):
            own = f"{number}-{turn}"
            with clew.use(clew.Correlation({"x-correlation-id": own})):
                _, got = send(server.url())
            assert got["headers"]["x-correlation-id"] == own

    jobs = list(enumerate(send for _, send in CLIENTS.values()))
    with ThreadPoolExecutor(len(jobs)) as pool:
        list(pool.map(run, jobs))


@pytest.mark.parametrize("send", [async_by_httpx, async_by_aiohttp])
def test_tasks_send_under_their_own_ids(send: Any, server: Server, instrumented: None) -> None:
    async def one(own: str) -> tuple[str, str]:
        with clew.use(clew.Correlation({"x-correlation-id": own})):
            _, got = await send(server.url())
            return own, got["headers"]["x-correlation-id"]

    async def run() -> list[tuple[str, str]]:
        return await asyncio.gather(*(one(str(number)) for number in range(20)))

    assert all(own == got for own, got in asyncio.run(run()))


def fields_of_any() -> set[str]:
    return {*FIELDS, "traceparent", "tracestate"}


def test_the_trace_is_the_correlations(
    server: Server, in_force: clew.Correlation, invocation: Invocation
) -> None:
    _, got = CLIENTS["requests"][1](server.url())
    assert got["headers"]["traceparent"] == f"00-{TRACE}-{only(invocation.sent).span_id}-01"
