"""Which hosts get the fields, and what stands in an entry's target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clew.forward import http_headers
from clew.forward.http_headers import HttpSend, forbidden, host_of, may_have_ids

from .conftest import only

if TYPE_CHECKING:
    import clew
    from clew.invocation import Invocation


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "api.example.com",
        "abc123.execute-api.eu-west-1.amazonaws.com",
        "abc123.execute-api.cn-north-1.amazonaws.com.cn",
        "vpce-1-2.execute-api.eu-west-1.vpce.amazonaws.com",
        "my-lb-1.eu-west-1.elb.amazonaws.com",
        "my-nlb-1.elb.eu-west-1.amazonaws.com",
        "abc.lambda-url.eu-west-1.on.aws",
        "x.appsync-api.eu-west-1.amazonaws.com",
    ],
)
def test_hosts_of_the_users_get_the_fields(host: str) -> None:
    assert may_have_ids(host)
    assert may_have_ids(host.upper())


@pytest.mark.parametrize(
    "host",
    [
        "bucket.s3.eu-west-1.amazonaws.com",
        "sqs.cn-north-1.amazonaws.com.cn",
        "lambda.eu-west-1.api.aws",
        "kinesis.eusc-de-east-1.amazonaws.eu",
        "169.254.169.254",
        "169.254.170.2",
        "fd00:ec2::254",
        "fe80::1",
    ],
)
def test_endpoints_of_aws_itself_do_not(host: str) -> None:
    assert not may_have_ids(host)


def test_the_list_of_hosts_counts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEW_FORWARD_HOSTS", " *.Example.com, 127.0.0.1 ")
    assert may_have_ids("API.example.com")
    assert may_have_ids("127.0.0.1")
    assert not may_have_ids("example.com")
    assert not may_have_ids("localhost")
    monkeypatch.setenv("CLEW_FORWARD_HOSTS", " ")
    assert may_have_ids("localhost")


@pytest.mark.parametrize(
    ("url", "host"),
    [("http://a:1/b", "a"), ("http://[::1]:2/", "::1"), ("http://[broken/", ""), ("", "")],
)
def test_the_host_of_a_url(url: str, host: str) -> None:
    assert host_of(url) == host


def test_what_a_redirect_may_not_take_along(monkeypatch: pytest.MonkeyPatch) -> None:
    present = {"Traceparent": "x", "X-Correlation-Id": "1", "User-Agent": "me", "accept": "*/*"}
    monkeypatch.setenv("CLEW_FORWARD_HOSTS", "example.com")
    assert forbidden("http://elsewhere.com/", present) == ["Traceparent", "X-Correlation-Id"]
    assert forbidden("http://example.com/", present) == []


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://user:secret@example.com:8443/a/b?token=x#y", "https://example.com:8443/a/b"),
        ("http://example.com", "http://example.com"),
    ],
)
def test_no_secret_of_a_url_is_noted(
    url: str, target: str, in_force: clew.Correlation, invocation: Invocation
) -> None:
    with HttpSend("requests", "post", url, {}) as sending:
        sending.answered(204)
    sent = only(invocation.sent)
    assert (sent.target, sent.operation, sent.status) == (target, "POST", 204)


def test_a_default_user_agent_gives_way_to_the_callers(in_force: clew.Correlation) -> None:
    sending = HttpSend("requests", "GET", "http://a/", {"User-Agent": "python-requests/2.3"})
    assert sending.headers["user-agent"] == "browser/1.0"
    assert sending.replaces == ["User-Agent"]


@pytest.mark.parametrize(
    "signed",
    [
        {"Authorization": "AWS4-HMAC-SHA256 Credential=x"},
        {"Authorization": b"AWS4-ECDSA-P256-SHA256 Credential=x"},
        {"authorization": 'Signature keyId="x"'},
        {"Signature-Input": "sig1=()"},
    ],
)
def test_but_not_where_it_may_be_signed(signed: dict[str, str], in_force: clew.Correlation) -> None:
    present = {"User-Agent": "python-requests/2.3", **signed}
    sending = HttpSend("requests", "GET", "http://a/", present)
    assert "user-agent" not in sending.headers
    assert sending.replaces == []
    assert "traceparent" in sending.headers


def test_header_names_may_be_bytes(in_force: clew.Correlation) -> None:
    present: dict[str, str] = {b"X-Correlation-User-Id": b"7"}  # type: ignore[dict-item]
    sending = HttpSend("requests", "GET", "http://a/", present)
    assert "x-correlation-user-id" not in sending.headers


def test_the_same_request_one_layer_below_is_silent(
    in_force: clew.Correlation, invocation: Invocation
) -> None:
    with HttpSend("requests", "GET", "http://a/", {}) as outer:
        with HttpSend("urllib3", "GET", "http://a/", outer.headers) as inner:
            assert inner.inner
            assert not inner.headers
            inner.answered(500)
        outer.answered(200)
    assert only(invocation.sent).status == 200


def test_another_request_made_meanwhile_is_one_of_its_own(
    in_force: clew.Correlation, invocation: Invocation
) -> None:
    with (
        HttpSend("requests", "GET", "http://a/", {}) as outer,
        HttpSend("httpx", "GET", "http://b/", {}) as other,
    ):
        assert other.headers["traceparent"] != outer.headers["traceparent"]
    assert [sent.target for sent in invocation.sent] == ["http://a/", "http://b/"]
    assert http_headers.in_hand() is None


def test_an_error_whose_text_raises_is_noted_all_the_same(
    in_force: clew.Correlation, invocation: Invocation
) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError

    with pytest.raises(Mute), HttpSend("requests", "GET", "http://a/", {}):
        raise Mute
    assert only(invocation.sent).error.startswith("Mute: ")
