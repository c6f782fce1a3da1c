"""What every HTTP client has in common: which requests take the fields, and how.

The clients' own modules say where their headers are. A request passes through several of them
(requests uses urllib3, and that ``http.client``): the outermost stamps it, the inner ones know it
by its span and are silent.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from clew import payload, wire
from clew.correlation import current
from clew.forward.on_import import is_waiting
from clew.forward.sending import answered, going_out, new_sent, note, take_over, unanswered
from clew.forward.switches import is_on
from clew.log.internal import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from clew.invocation import Sent

#: What the AWS SDKs put on every request; the service would not read our fields, and they would
#: come after the signature.
_SDK_HEADER = "amz-sdk-invocation-id"
#: Endpoints of AWS services themselves (not of what runs on them), and what answers on a machine.
_DENIED = (
    "*.amazonaws.com",
    "*.amazonaws.com.cn",
    "*.amazonaws.eu",
    "*.api.aws",
    "*.api.amazonwebservices.com.cn",
    "169.254.*",
    "fe80:*",
    "fd00:ec2:*",
)
#: What runs on AWS under its names: APIs and load balancers of the user's.
_OURS = (
    "*.execute-api.*.amazonaws.com*",
    "*.execute-api.*.amazonaws.eu",
    "*.execute-api.*.api.aws",
    "*.appsync-api.*.amazonaws.com*",
    "*.elb.amazonaws.com*",
    "*.elb.*.amazonaws.com*",
)
#: The user agents that the clients set when nobody set one.
_DEFAULT_AGENTS = ("python-requests/", "python-httpx/", "python-urllib", "python/", "aiohttp/")
#: Beginnings of ``Authorization`` that may sign any header: Signature Version 4, HTTP signatures.
_SIGNATURES = ("aws4-", "signature")

#: The request that is being made, or the silent one of a client that is switched off.
_inside: ContextVar[HttpSend | None] = ContextVar("clew_http", default=None)


def may_have_ids(host: str) -> bool:
    """Whether requests to ``host`` take the ids along.

    ``CLEW_FORWARD_HOSTS`` is a list of patterns (``*.example.com,127.0.0.1``) of those that do.
    Without it all do but the endpoints of AWS services.
    """
    host = host.lower()
    if not host:
        return False
    allowed = os.environ.get("CLEW_FORWARD_HOSTS", "").lower().replace(" ", "")
    if allowed:
        return _matches(host, allowed.split(","))
    return _matches(host, _OURS) or not _matches(host, _DENIED)


def host_of(url: str) -> str:
    """The host of a URL, "" where it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _matches(host: str, patterns: list[str] | tuple[str, ...]) -> bool:
    return any(fnmatchcase(host, pattern) for pattern in patterns)


class HttpSend:
    """One request of a client: made before it, entered around it.

    ``headers`` are those to put on it (wire names; empty where it takes none), ``replaces`` the
    present ones to take off for them. ``inner`` says that another client makes this request, or
    the same one while it follows a redirect.

    >>> with HttpSend("requests", "GET", "http://127.0.0.1/", {}) as send:
    ...     send.headers
    {}
    """

    __slots__ = ("_before", "_inside", "_sent", "_silent", "headers", "inner", "replaces")

    def __init__(self, client: str, method: str, url: str, present: Mapping[str, str]) -> None:
        self.headers: dict[str, str] = {}
        self.replaces: list[str] = []
        self.inner = False
        self._sent: Sent | None = None
        self._silent = False
        self._before = self._inside = _inside.get()
        try:
            self._prepare(client, method, url, present)
        except Exception:  # noqa: BLE001  (the request goes out as it is)
            self.headers = {}
            failed("forwarding over HTTP")

    def _prepare(self, client: str, method: str, url: str, present: Mapping[str, str]) -> None:
        correlation, before = current(), self._before
        if not correlation or (before is not None and before._silent) or not is_waiting():
            return
        if not is_on(client):
            self._silent, self._inside = True, self
            return
        names = {_text(name).lower(): name for name in present}
        fields = [(name, _text(present[names[name]])) for name in names if wire.is_field(name)]
        self.inner = before is not None and wire.check(fields).parent_span_id == before.span_id
        if self.inner or _SDK_HEADER in names or not may_have_ids(host_of(url)):
            return
        sent = new_sent("http", method.upper(), _place(url), going_out(correlation))
        signed = _is_signed(names, present)
        ours = sent.correlation.outgoing(sent.span_id)
        # OpenTelemetry was first, and wrote what we would write: what follows it is ours to say.
        same = wire.TRACEPARENT in names and (wire.TRACEPARENT, ours[wire.TRACEPARENT]) in fields
        written = wire.NODE_NAMES if payload.is_for_node() else {}
        for name, value in ours.items():
            there = names.get(name)
            if there is None:
                self.headers[written.get(name, name)] = value
            elif (name == wire.USER_AGENT and not signed and _is_default(present[there])) or (
                name == wire.TRACESTATE and same
            ):
                self.headers[written.get(name, name)] = value
                self.replaces.append(_text(there))
        if wire.ID in names or (wire.TRACEPARENT in names and not same):
            take_over(sent, [*fields, *self.headers.items()])
        self._inside = self
        self._sent = sent

    def __enter__(self) -> HttpSend:
        _inside.set(self._inside)
        if self._sent is not None:
            try:
                note([self._sent])
            except Exception:  # noqa: BLE001  (the request goes out all the same)
                failed("noting a request")
        return self

    @property
    def span_id(self) -> str:
        """The span of this send (16 hex digits), or "" where it is none."""
        return self._sent.span_id if self._sent is not None else ""

    def taken_over(self, pairs: Iterable[tuple[object, object]]) -> None:
        """Note that another library has put its own trace on the request since. Never raises."""
        try:
            if self._sent is not None:
                take_over(self._sent, pairs)
        except Exception:  # noqa: BLE001  (the request goes out all the same)
            failed("reading a request's trace")

    def answered(self, status: object) -> None:
        """Note the status of the answer."""
        if self._sent is not None:
            answered(self._sent, {}, status if isinstance(status, int) else 0)

    def failed(self, error: BaseException) -> None:
        """Note that no answer came."""
        if self._sent is not None and self._sent.outcome == "pending":
            unanswered(self._sent, error)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _inside.set(self._before)
        if error is not None:
            self.failed(error)


def forbidden(url: str, present: Mapping[str, str]) -> list[str]:
    """The headers that a redirect to ``url`` may not take along: clew's, to a host without leave.

    (Not the user agent, which is everybody's.)
    """
    if may_have_ids(host_of(url)):
        return []
    lower = {name: _text(name).lower() for name in present}
    ours = {one for one in lower.values() if wire.is_field(one)} - {wire.USER_AGENT}
    return [name for name in lower if lower[name] in ours or lower[name] == wire.BAGGAGE]


def in_hand() -> HttpSend | None:
    """The request that is being made here and now."""
    return _inside.get()


def _place(url: str) -> str:
    """No user, password, query or fragment: what identifies a place, and no secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _is_signed(names: dict[str, str], present: Mapping[str, str]) -> bool:
    authorization = _text(present.get(names.get("authorization", ""), "")).lower()
    return "signature-input" in names or authorization.startswith(_SIGNATURES)


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _is_default(agent: object) -> bool:
    return _text(agent).lower().startswith(_DEFAULT_AGENTS)
