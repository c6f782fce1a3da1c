"""Addresses, and what is secret in them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.shipping.errors import ShippingError
from clew.shipping.settings import read_address, read_settings, secret_of
from clew.shipping.sinks import SCHEMES, open_sink

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud


def test_an_address_is_taken_apart() -> None:
    found = read_address(
        "loki+https://me:p%40ss@logs.example.com:3100/base/?env=test", "token", {"x-key": "k"}
    )
    assert (found.kind, found.scheme, found.host, found.port) == (
        "loki", "https", "logs.example.com", 3100,
    )  # fmt: skip
    assert (found.user, found.password, found.token) == ("me", "p@ss", "token")
    assert found.base == "https://logs.example.com:3100/base"
    assert found.shown == "loki+https://logs.example.com:3100/base"
    assert found.options == {"env": "test"}
    for secret in ("p@ss", "p%40ss", "token", "x-key"):
        assert secret not in repr(found)
        assert secret not in found.shown
    assert read_address("otlp+http://[::1]:4318").base == "http://[::1]:4318"
    assert read_address("s3://bucket/a/prefix").shown == "s3://bucket/a/prefix"


@pytest.mark.parametrize(
    "wrong", ["", "logs.example.com", "https:", "loki+https://", "loki+https://h:port", "://x"]
)
def test_what_is_no_address_is_said(wrong: str) -> None:
    with pytest.raises(ShippingError, match="CLEW_SHIP_TO"):
        read_settings({"CLEW_SHIP_TO": wrong})


def test_what_is_wrong_with_a_secret_does_not_show_it() -> None:
    for given_ in ({"token": "s3cret\n"}, {"headers": {"x": "s3crét"}}):
        with pytest.raises(ShippingError, match="no HTTP header holds") as error:
            read_address("loki+https://h", **given_)
        assert "s3cr" not in str(error.value)
    with pytest.raises(ShippingError) as error:
        read_address("loki+https://me:s3cret@h:s3cret")
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize("address", ["gopher://h", "https://h", "loki://h", "otlp+tcp://h"])
def test_an_address_of_no_sink_is_said(address: str) -> None:
    with pytest.raises(ShippingError):
        open_sink(read_address(address))


def test_the_environment() -> None:
    found = read_settings(
        {
            "CLEW_SHIP_TO": " store+https://h ",
            "CLEW_SHIP_TOKEN": "t",
            "CLEW_SHIP_HEADERS": "X-Scope-OrgID=team=a, x-key = k",
            "CLEW_SHIP_DEAD_LETTER": "s3://dead/letters",
        }
    )
    assert found.address.token == "t"
    assert found.address.headers == {"X-Scope-OrgID": "team=a", "x-key": "k"}
    assert found.dead_letter == "s3://dead/letters"
    named = {"CLEW_SHIP_TO": "store+https://h", "CLEW_SHIP_SECRET": "arn:x"}
    assert read_settings(named, lambda arn: f"of {arn}\n").address.token == "of arn:x"


@pytest.mark.local_cloud
def test_a_token_is_kept_in_secrets_manager(cloud: LocalCloud) -> None:
    client, name = cloud.client("secretsmanager"), f"token-{uuid4().hex[:8]}"
    arn = client.create_secret(Name=name, SecretString="plain")["ARN"]
    assert secret_of(client, arn) == "plain"
    client.put_secret_value(SecretId=arn, SecretString='{"token": "inside"}')
    assert secret_of(client, arn) == "inside"
    client.put_secret_value(SecretId=arn, SecretString='{"other": 1}')
    with pytest.raises(ShippingError, match="no member token"):
        secret_of(client, arn)
    with pytest.raises(ShippingError, match="cannot be read"):
        secret_of(client, f"{arn}-gone")


@given(st.one_of(st.text(max_size=60), st.sampled_from([*SCHEMES]).map(lambda s: f"{s}+http://")))
def test_any_text_is_an_address_or_said_not_to_be(written: str) -> None:
    try:
        found = read_address(written)
    except ShippingError:
        return
    assert found.host
