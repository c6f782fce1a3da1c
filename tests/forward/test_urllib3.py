"""urllib3: pools with headers of their own, and requests below requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from .conftest import fields_of, only

if TYPE_CHECKING:
    import clew
    from clew.invocation import Invocation

    from .server import Server


def test_the_headers_of_a_pool_go_along_and_are_not_changed(
    server: Server, in_force: clew.Correlation, invocation: Invocation
) -> None:
    own = {"x-mine": "1"}
    with urllib3.HTTPConnectionPool("127.0.0.1", server.port, headers=own) as pool:
        got = pool.request("GET", "/a?b=http://c/").json()
        assert got["headers"]["x-mine"] == "1"
        assert fields_of(only(invocation.sent)).items() <= got["headers"].items()
        assert pool.headers == own == {"x-mine": "1"}
    assert only(invocation.sent).target == server.url("/a")


def test_a_header_dict_of_urllib3s_stays_what_it_is(
    server: Server, in_force: clew.Correlation
) -> None:
    own = urllib3.HTTPHeaderDict({"X-Mine": "1"})
    own.add("X-Mine", "2")
    with urllib3.PoolManager() as pools:
        got = pools.request("POST", server.url(), headers=own, body=b"x").json()
    assert got["names"].count("x-mine") == 2
    assert got["names"].count("traceparent") == 1
    assert got["body"] == "x"
    assert "traceparent" not in own


def test_arguments_may_be_positional(server: Server, in_force: clew.Correlation) -> None:
    with urllib3.HTTPConnectionPool("127.0.0.1", server.port) as pool:
        got = pool.urlopen("POST", "/", b"x", {"x-mine": "1"}, False).json()
    assert got["body"] == "x"
    assert {"x-mine", "traceparent"} <= got["headers"].keys()


def test_through_a_proxy_the_target_is_what_was_asked_for(
    server: Server, in_force: clew.Correlation, invocation: Invocation
) -> None:
    with urllib3.ProxyManager(server.url("/")) as proxy:
        got = proxy.request("GET", "http://example.com/a?b").json()
    assert got["path"] == "http://example.com/a?b"
    assert only(invocation.sent).target == "http://example.com/a"
    assert fields_of(only(invocation.sent)).items() <= got["headers"].items()


def test_a_pool_of_the_users_without_a_host_is_left_alone(
    in_force: clew.Correlation, invocation: Invocation, caplog: pytest.LogCaptureFixture
) -> None:
    class Pool(urllib3.HTTPConnectionPool):
        """As for a socket of another kind."""

        host: Any = None

        def _get_conn(self, timeout: float | None = None) -> Any:
            raise urllib3.exceptions.EmptyPoolError(self, "no connection")

    pool = Pool("127.0.0.1")
    pool.host = None
    with pytest.raises(urllib3.exceptions.EmptyPoolError):
        pool.urlopen("GET", "/", retries=False)
    assert invocation.sent == []
    assert not caplog.records
