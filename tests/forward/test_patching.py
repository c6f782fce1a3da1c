"""Replacing methods of other people's classes, among others who do the same."""

from __future__ import annotations

from typing import Any

from clew.forward.patching import replace, restore


def _library() -> type[Any]:
    class Base:
        def send(self, value: int) -> int:
            """Send it."""
            return value

    class Client(Base):
        pass

    return Client


def _twice(original: Any) -> Any:
    def send(self: Any, value: int) -> Any:
        return original(self, value) * 2

    return send


def test_it_is_replaced_once_and_put_back() -> None:
    client = _library()
    original = client.send
    replace(client, "send", _twice)
    replace(client, "send", _twice)
    assert client().send(1) == 2
    assert client.send.__wrapped__ is original
    assert client.send.__doc__ == "Send it."
    assert client.send.__qualname__ == original.__qualname__
    restore(client, "send")
    assert client.send is original
    restore(client, "send")
    assert client.send is original


def test_an_inherited_method_is_replaced_where_it_is() -> None:
    client = _library()
    replace(client, "send", _twice)
    assert "send" not in vars(client)
    restore(client, "send")
    assert "send" not in vars(client)


def test_what_others_put_over_it_stays() -> None:
    client = _library()
    replace(client, "send", _twice)
    ours = client.send

    def theirs(self: Any, value: int) -> int:
        done: int = ours(self, value) + 1
        return done

    client.__mro__[1].send = theirs  # type: ignore[attr-defined]
    restore(client, "send")
    assert client.send is theirs
    replace(client, "send", _twice)
    assert client().send(1) == 3, "ours is below theirs still, and once"
