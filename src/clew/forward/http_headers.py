"""What every HTTP client has in common: which requests take the fields, and how.

The clients' own modules say where their headers are. A request passes through several of them
(requests uses urllib3): the outermost stamps it, and the inner ones are silent.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from clew import wire
from clew.correlation import current
from clew.forward.sending import answered, new_sent, note, refused
from clew.log.internal import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from clew.invocation import Sent

#: What the AWS SDKs put on every request; the service would not read our fields, and they would
#: come after the signature.
_SDK_HEADER = "amz-sdk-invocation-id"
#: Endpoints of AWS services themselves (not of what runs on them), and what answers on a machine.
_DENIED = ("*.amazonaws.com", "*.amazonaws.com.cn", "169.254.*", "[[]fe80:*", "[[]fd00:ec2:*")
#: What runs on AWS under its names: APIs and load balancers of the user's.
_OURS = (
    "*.execute-api.*.amazonaws.com",
    "*.execute-api.*.amazonaws.com.cn",
    "*.elb.amazonaws.com",
    "*.elb.*.amazonaws.com",
    "*.elb.amazonaws.com.cn",
    "*.elb.*.amazonaws.com.cn",
)
#: The user agents that the clients set when nobody set one.
_DEFAULT_AGENTS = ("python-requests/", "python-httpx/", "python-urllib", "python/", "aiohttp/")

_inside: ContextVar[bool] = ContextVar("clew_http", default=False)


def may_have_ids(host: str) -> bool:
    """Whether requests to ``host`` take the ids along.

    ``CLEW_FORWARD_HOSTS`` is a list of patterns (``*.example.com,127.0.0.1``) of those that do.
    Without it all do but the endpoints of AWS services.
    """
    host = host.lower()
    allowed = os.environ.get("CLEW_FORWARD_HOSTS", "")
    if allowed.strip():
        return _matches(host, [pattern.strip().lower() for pattern in allowed.split(",")])
    return _matches(host, _OURS) or not _matches(host, _DENIED)


def _matches(host: str, patterns: list[str] | tuple[str, ...]) -> bool:
    return any(fnmatchcase(host, pattern) for pattern in patterns)


class HttpSend:
    """One request: made before it, entered around it.

    ``headers`` are those to put on it (wire names; empty where it takes none), ``replaces`` the
    present ones to take off for them.

    >>> with HttpSend("GET", "http://127.0.0.1/", {}) as send:
    ...     send.headers
    {}
    """

    __slots__ = ("_sent", "headers", "inner", "replaces")

    def __init__(self, method: str, url: str, present: Mapping[str, str]) -> None:
        self.headers: dict[str, str] = {}
        self.replaces: list[str] = []
        #: Whether another client sends this one, or the same one follows a redirect.
        self.inner = _inside.get()
        self._sent: Sent | None = None
        try:
            self._prepare(method, url, present)
        except Exception:  # noqa: BLE001  (the request goes out as it is)
            self.headers = {}
            failed("forwarding over HTTP")

    def _prepare(self, method: str, url: str, present: Mapping[str, str]) -> None:
        correlation = current()
        if self.inner or not correlation:
            return
        names = {_text(name).lower(): _text(name) for name in present}
        parts = urlsplit(url)
        if _SDK_HEADER in names or not may_have_ids(parts.hostname or ""):
            return
        # No user, password, query or fragment: what identifies a place, and no secret.
        place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        sent = new_sent("http", method.upper(), place, correlation)
        signed = _text(present.get(names.get("authorization", ""), "")).startswith("AWS4-")
        for name, value in correlation.outgoing(sent.span_id).items():
            there = names.get(name)
            if there is None:
                self.headers[name] = value
            elif name == wire.TRACEPARENT:
                found = wire.check([(name, _text(present[there]))])
                sent.span_id = found.parent_span_id or sent.span_id
            elif name == wire.USER_AGENT and not signed and _is_default(present[there]):
                self.headers[name] = value
                self.replaces.append(there)
        self._sent = sent

    def __enter__(self) -> HttpSend:
        _inside.set(True)
        if self._sent is not None:
            note(self._sent)
        return self

    def status(self, status: int) -> None:
        """Note the status of the answer."""
        if self._sent is not None:
            answered(self._sent, {}, status)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _inside.set(self.inner)
        if self._sent is not None and error is not None:
            refused(self._sent, f"{type(error).__name__}: {error}")


def is_clews(name: object) -> bool:
    """Whether a header is one that clew puts on requests (the user agent is everybody's)."""
    lower = _text(name).lower()
    return wire.is_field(lower) and lower != wire.USER_AGENT


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _is_default(agent: object) -> bool:
    return _text(agent).lower().startswith(_DEFAULT_AGENTS)
