"""boto3 and botocore, by botocore's own event hooks.

The fields go in when botocore builds the parameters: before it validates, serialises and signs
them. What the service answered is noted at the end. A client is hooked at its first call, so this
works for those that existed before, and for aiobotocore's, which have the same events.
"""

from __future__ import annotations

import sys
from _thread import allocate_lock
from importlib import import_module

from clew.correlation import current
from clew.forward import AWS_CARRIERS
from clew.forward.on_import import remember
from clew.forward.patching import replace, restore
from clew.forward.sending import going_out, note, refused, unanswered
from clew.forward.switches import is_on
from clew.log.internal import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from clew.correlation import Correlation
    from clew.forward.sending import Messages

    Context = dict[str, Any]

    class Operation(Protocol):
        """What a carrier's module has for each operation of its service."""

        def stamp(self, params: dict[str, Any], correlation: Correlation) -> Messages:
            """Put the fields into ``params``: only its own members are replaced, none changed.

            May raise on parameters that botocore will not take.
            """

        def answered(self, sent: Any, parsed: dict[str, Any]) -> None:
            """Note what the service answered to a call that it took."""


#: Where a call keeps its messages: on the way, then noted. And what failed on the way.
_SENT, _NOTED, _OPERATION, _FAILED = "clew.sent", "clew.noted", "clew.operation", "clew.failed"
_lock = allocate_lock()
#: The hook that an emitter has, as an attribute of it.
_MARK = "_clew_hook"


class Hook:
    """One set of handlers. Emitters are copied with what is registered, so it is switched off
    here, for all copies."""

    __slots__ = ("_carriers", "on")

    def __init__(self) -> None:
        self.on = True
        self._carriers: dict[str, Callable[[str], Operation | None] | None] = {}

    def register(self, emitter: Any) -> None:
        """Hear the events of ``emitter``, unless a hook does; in the place of one that is off."""
        with _lock:  # a client may have its first call in several threads at once
            known = getattr(emitter, _MARK, None)
            if known is not None and known.on:
                return
            for event, name in _EVENTS:
                emitter.unregister(event, unique_id=f"clew-{event}")
                emitter.register_last(event, getattr(self, name), unique_id=f"clew-{event}")
            setattr(emitter, _MARK, self)

    def before_build(
        self, params: Any, event_name: str, context: Context | None = None, **_: Any
    ) -> None:
        """``before-parameter-build.SERVICE.OPERATION``: stamp."""
        if not self.on or context is None or context.get("is_presign_request"):
            return  # whoever uses a presigned URL sends what its signature says, and no more
        try:
            correlation = current()
            if not correlation:
                return
            service, operation_name = event_name.split(".", 2)[1:]
            carrier = self._carrier(service)
            operation = carrier(operation_name) if carrier is not None else None
            if operation is not None:
                sent = operation.stamp(params, going_out(correlation))
                context.update({_OPERATION: operation, _SENT: sent})
        except Exception as error:  # noqa: BLE001  (the call goes out as it is)
            context[_FAILED] = error

    def before_call(self, context: Context | None = None, **_: Any) -> None:
        """``before-call``: the parameters were valid, so from here on it is a send."""
        if not self.on or not context:
            return
        try:
            _note(context)
        except Exception:  # noqa: BLE001  (the call goes out as it is)
            failed("forwarding through boto3")

    def after_call(
        self, parsed: Any, http_response: Any, context: Context | None = None, **_: Any
    ) -> None:
        """``after-call``: the service answered."""
        if not self.on or not context:
            return
        try:
            all_sent = _note(context)  # a stub that answers hides the event before the call
            if not all_sent:
                return
            if http_response.status_code < 300:
                context[_OPERATION].answered(all_sent, parsed)
                return
            said = parsed.get("Error", {})
            error = f"{said.get('Code')}: {said.get('Message')}"
            for sent in all_sent:
                refused(sent, error, http_response.status_code)
        except Exception:  # noqa: BLE001  (the answer is the user's)
            failed("reading an answer of boto3")

    def after_call_error(
        self, exception: BaseException, context: Context | None = None, **_: Any
    ) -> None:
        """``after-call-error``: no answer came."""
        for sent in (context or {}).get(_NOTED, ()):
            unanswered(sent, exception)

    def _carrier(self, service: str) -> Callable[[str], Operation | None] | None:
        """What finds an operation of ``service``; None where it carries nothing or is off."""
        if service not in self._carriers:
            name, module = AWS_CARRIERS.get(service, ("", ""))
            found = import_module(module).OPERATIONS.get if name and is_on(name) else None
            self._carriers[service] = found
        return self._carriers[service]


_EVENTS = (
    ("before-parameter-build", "before_build"),
    ("before-call", "before_call"),
    ("after-call", "after_call"),
    ("after-call-error", "after_call_error"),
)

#: All that are on, and the one of them that is for every client.
_hooks: list[Hook] = []
_everywhere: list[Hook] = []

#: The classes whose method makes each call: of botocore, and of aiobotocore on top of it.
_CLIENTS = (("botocore.client", "BaseClient"), ("aiobotocore.client", "AioBaseClient"))


def _note(context: Context) -> Messages:
    """The messages of a call, noted once."""
    if _SENT in context:
        context[_NOTED] = context.pop(_SENT)
        note(context[_NOTED])
    elif _FAILED in context:  # and yet botocore found the parameters valid
        raise context.pop(_FAILED)
    noted: Messages = context.get(_NOTED, [])
    return noted


def _new_hook() -> Hook:
    made = Hook()
    _hooks.append(made)
    return made


def hook() -> None:
    """Hook every client there is and will be, each at its first call."""
    if not _everywhere:
        _everywhere.append(_new_hook())
    for client in _clients():
        replace(client, "_make_api_call", _hooking)


def unhook() -> None:
    """Switch off every hook there is, of single clients and sessions too."""
    for one in _hooks:
        one.on = False
    _hooks.clear()
    _everywhere.clear()
    for client in _clients():
        restore(client, "_make_api_call")


def _clients() -> list[type]:
    """Those that are imported, to the end (aiobotocore imports botocore on its way)."""
    found = [getattr(sys.modules.get(module), name, None) for module, name in _CLIENTS]
    return [client for client in found if client is not None]


def hook_one(client_or_session: Any) -> None:
    """Hook one boto3 or botocore client, resource or session (aiobotocore's too).

    A session's clients are those that are made of it from here on.
    """
    remember(__name__)
    _new_hook().register(_emitter(client_or_session))


def _emitter(one: Any) -> Any:
    if hasattr(one, "meta"):
        return getattr(one.meta, "client", one).meta.events  # a resource has a client
    if hasattr(one, "events"):  # a boto3 session
        return one.events
    return one.get_component("event_emitter")


def _hooking(original: Callable[..., Any]) -> Callable[..., Any]:
    """Before a client's call is made, hear its events. The call itself is not touched."""

    def _make_api_call(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            if _everywhere:
                emitter = self.meta.events
                known = getattr(emitter, _MARK, None)
                if known is None or not known.on:
                    _everywhere[0].register(emitter)
        except Exception:  # noqa: BLE001  (the call goes out as it is)
            failed("hooking a client of boto3")
        return original(self, *args, **kwargs)

    return _make_api_call
