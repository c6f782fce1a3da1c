"""boto3 and botocore, by botocore's own event hooks.

The fields go in when botocore builds the parameters: before it validates, serialises and signs
them. What the service answered is noted at the end. Works for every client of every session, also
those that existed before, and for aiobotocore, which has the same events.
"""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from importlib import import_module

from clew.correlation import current
from clew.forward import AWS_CARRIERS
from clew.forward.sending import note, refused
from clew.forward.switches import is_on
from clew.log.internal import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from clew.correlation import Correlation
    from clew.invocation import Sent

    class Operation(Protocol):
        """What a carrier's module has for each operation of its service."""

        def stamp(self, params: dict[str, Any], correlation: Correlation) -> list[Sent]:
            """Put the fields into ``params``: only its own members are replaced, none changed."""

        def answered(self, sent: list[Sent], parsed: dict[str, Any]) -> None:
            """Note what the service answered to a call that it took."""


_ID = "clew"
_SENT = "clew.sent"
_OPERATION = "clew.operation"
_carriers: dict[str, Callable[[str], Operation | None] | None] = {}


def hook() -> None:
    """Hook every session and client there is and will be."""
    import botocore

    _carriers.clear()
    botocore.register_initializer(hook_one)
    for emitter in _emitters():
        _register(emitter)


def unhook() -> None:
    """Take the hooks out of every session and client."""
    import botocore

    with suppress(ValueError):  # not registered
        botocore.unregister_initializer(hook_one)
    for emitter in _emitters():
        for event, function in _HOOKS:
            emitter.unregister(event, function, unique_id=f"{_ID}-{event}")


def hook_one(client_or_session: Any) -> None:
    """Hook one boto3 or botocore client or session (aioboto3's too)."""
    _register(_emitter(client_or_session))


def _emitter(client_or_session: Any) -> Any:
    if hasattr(client_or_session, "meta"):
        return client_or_session.meta.events
    if hasattr(client_or_session, "events"):  # a boto3 session
        return client_or_session.events
    return client_or_session.get_component("event_emitter")


def _register(emitter: Any) -> None:
    for event, function in _HOOKS:
        # Registered again under the same id, it is not called twice.
        emitter.register_last(event, function, unique_id=f"{_ID}-{event}")


def _emitters() -> list[Any]:
    """The emitters of all sessions and clients that exist."""
    classes: list[type] = [sys.modules["botocore.session"].Session]
    pending: list[type] = [*classes]
    if "botocore.client" in sys.modules:
        pending.append(sys.modules["botocore.client"].BaseClient)
    while pending:
        below: list[type] = pending.pop().__subclasses__()
        classes += below
        pending += below
    wanted = tuple(classes)
    # An object refers to its class, so this finds them without a list of every object there is.
    return [_emitter(one) for one in gc.get_referrers(*wanted) if isinstance(one, wanted)]


def _carrier(service: str) -> Callable[[str], Operation | None] | None:
    """What finds an operation of ``service``; None where the service carries nothing or is off."""
    if service not in _carriers:
        name, module = AWS_CARRIERS.get(service, ("", ""))
        _carriers[service] = import_module(module).OPERATIONS.get if name and is_on(name) else None
    return _carriers[service]


def _sent_in(context: dict[str, Any] | None) -> list[Sent]:
    found: list[Sent] = context.get(_SENT, []) if context else []
    return found


def _before_build(
    params: Any, event_name: str, context: dict[str, Any] | None = None, **_: Any
) -> None:
    """``before-parameter-build.SERVICE.OPERATION``: stamp."""
    try:
        correlation = current()
        if not correlation or context is None:
            return
        service, operation_name = event_name.split(".", 2)[1:]
        carrier = _carrier(service)
        operation = carrier(operation_name) if carrier is not None else None
        if operation is not None:
            context.update({_OPERATION: operation, _SENT: operation.stamp(params, correlation)})
    except Exception:  # noqa: BLE001  (the call goes out as it is)
        failed("forwarding through boto3")


def _before_call(context: dict[str, Any] | None = None, **_: Any) -> None:
    """``before-call``: the parameters were valid, so from here on it is a send."""
    for sent in _sent_in(context):
        note(sent)


def _after_call(
    parsed: Any, http_response: Any, context: dict[str, Any] | None = None, **_: Any
) -> None:
    """``after-call``: the service answered."""
    all_sent = _sent_in(context)
    if not all_sent or context is None:
        return
    try:
        if http_response.status_code < 300:
            context[_OPERATION].answered(all_sent, parsed)
            return
        error = parsed.get("Error", {})
        for sent in all_sent:
            refused(sent, f"{error.get('Code')}: {error.get('Message')}", http_response.status_code)
    except Exception:  # noqa: BLE001  (the answer is the user's)
        failed("reading an answer of boto3")


def _after_call_error(
    exception: BaseException, context: dict[str, Any] | None = None, **_: Any
) -> None:
    """``after-call-error``: no answer came."""
    for sent in _sent_in(context):
        refused(sent, f"{type(exception).__name__}: {exception}")


_HOOKS: tuple[tuple[str, Callable[..., None]], ...] = (
    ("before-parameter-build", _before_build),
    ("before-call", _before_call),
    ("after-call", _after_call),
    ("after-call-error", _after_call_error),
)
