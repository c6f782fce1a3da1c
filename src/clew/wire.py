"""What travels between functions: the names, the limits, and the check of what strangers send.

Everything here is a pure function of its arguments. Nothing raises on bad input: what breaks a
limit is dropped and counted.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

ID = "x-correlation-id"
PREFIX = "x-correlation-"
DEBUG = "debug-log-enabled"
USER_AGENT = "user-agent"
CHAIN = "call-chain-length"
TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"
#: X-Ray's own header. clew reads it and never writes it.
XRAY = "x-amzn-trace-id"

#: The object that carries every field inside a JSON payload.
CONTEXT = "__context"
#: The name that ``@dazn/lambda-powertools`` gives to the same object.
CONTEXT_ALIASES = (CONTEXT, "__context__")
#: The one attribute that carries every field when a message has no room for one each.
PACKED = "clew-context"

MAX_IDS = 32
MAX_NAME = 64
MAX_VALUE = 256
MAX_TOTAL = 4096
#: Of the 32 ids and the 4 KiB, this much is kept for what every function adds: the request's id,
#: the DEBUG decision and the chain length. So what left one function always fits into the next,
#: in whatever order a carrier delivers it.
ROOM_KEPT = len(ID) + MAX_VALUE + len(DEBUG) + len("false") + len(CHAIN) + len("9999")
#: W3C Trace Context, "tracestate Limits": at least 512 characters should be passed on.
MAX_TRACESTATE = 512
#: More hops than this is not a length but noise; the number still fits every carrier.
MAX_CHAIN = 9999

# No regular expressions here: to compile them costs a cold start more than all the rest of this.
_IN_NAMES = "abcdefghijklmnopqrstuvwxyz0123456789-"
_HEX = "0123456789abcdef"

_OTHERS = frozenset((DEBUG, USER_AGENT, CHAIN, TRACEPARENT, TRACESTATE))
_ALWAYS_FITS = frozenset((ID, DEBUG, CHAIN))
#: The pair that a carrier yields for fields that it cannot read: `check` drops and counts it.
UNREADABLE = (ID, None)


class Inbound:
    """The fields that came in, after the check.

    ``fields`` holds ids, user agent, the DEBUG decision and the chain length as they came (lower
    case names); ``trace_id`` and ``parent_span_id`` are lower-case hex of 32 and 16 digits, or
    empty; ``trace_flags`` is two hex digits; ``xray`` is X-Ray's header as it came, or
    ""; ``dropped`` counts what broke a limit.
    """

    __slots__ = (
        "dropped",
        "fields",
        "parent_span_id",
        "trace_flags",
        "trace_id",
        "tracestate",
        "xray",
    )

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.trace_id = ""
        self.parent_span_id = ""
        self.trace_flags = ""
        self.tracestate = ""
        self.xray = ""
        self.dropped = 0


def is_field(name: str) -> bool:
    """Whether ``name`` (lower case) is one that clew reads and writes."""
    return name.startswith(PREFIX) or name in _OTHERS


def is_value(value: object, limit: int = MAX_VALUE) -> bool:
    """Whether ``value`` may travel: a str of 1 to ``limit`` printable ASCII characters."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= limit
        and value.isascii()
        and value.isprintable()
    )


def _is_name(name: str) -> bool:
    # What `strip` leaves begins with a character that is not among them.
    return 0 < len(name) <= MAX_NAME and not name.strip(_IN_NAMES)


def parse_traceparent(value: str) -> tuple[str, str, str] | None:
    """(trace id, parent span id, flags) of a W3C ``traceparent``, or None where it is none.

    W3C Trace Context, "traceparent header": only a version after 00 may have more fields, which
    are passed over.
    """
    if len(value) < 55 or value[2] + value[35] + value[52] != "---":
        return None
    version, trace, parent, flags = value[:2], value[3:35], value[36:52], value[53:55]
    if (version + trace + parent + flags).strip(_HEX) or version == "ff":
        return None
    if not trace.strip("0") or not parent.strip("0"):
        return None
    if len(value) > 55 and (version == "00" or value[55] != "-"):
        return None
    return trace, parent, flags


def check(pairs: Iterable[tuple[object, object]]) -> Inbound:  # noqa: C901  (one pass, no calls)
    """Keep from ``pairs`` (name, value) what is clew's and within the limits.

    Names are matched without regard to case. Of two pairs with one name the last counts. At most
    32 ids, names of ``[a-z0-9-]{1,64}``, values of 1 to 256 printable ASCII characters, 4 KiB
    together; the rest is dropped and counted. A ``tracestate`` without a ``traceparent`` means
    nothing and is left out (W3C Trace Context, "tracestate header"). Never raises.
    """
    inbound = Inbound()
    total = ids = 0
    fields = inbound.fields
    for raw_name, value in pairs:
        if not isinstance(raw_name, str):
            continue
        name = raw_name.lower()
        if not is_field(name):
            if name == XRAY and isinstance(value, str) and len(value) <= MAX_TOTAL:
                inbound.xray = value
            continue
        if name == CHAIN and type(value) is int:
            value = str(value)  # as the Node library writes it  # noqa: PLW2901
        if not isinstance(value, str):
            inbound.dropped += 1
        elif name in (TRACEPARENT, TRACESTATE):
            inbound.dropped += not _take_trace(inbound, name, value)
        elif not (_is_name(name) and is_value(value) and _means_something(name, value)):
            inbound.dropped += 1
        elif name in _ALWAYS_FITS:
            fields[name] = value.lower() if name == DEBUG else value
        else:
            new = name not in fields
            size = len(value) + (len(name) if new else -len(fields[name]))
            is_id = name.startswith(PREFIX) and new
            if total + size > MAX_TOTAL - ROOM_KEPT or (is_id and ids >= MAX_IDS - 1):
                inbound.dropped += 1
                continue
            total += size
            ids += is_id
            fields[name] = value
    if not inbound.trace_id:
        inbound.tracestate = ""
    return inbound


def _means_something(name: str, value: str) -> bool:
    """Whether a field with a meaning of its own has one of the values that it can have."""
    if name == DEBUG:
        return value.lower() in ("true", "false")
    if name == CHAIN:
        return value.isdecimal() and len(value) <= len(str(MAX_CHAIN))
    return True


def _take_trace(inbound: Inbound, name: str, value: str) -> bool:
    """Take one of the W3C fields over; False where it is none."""
    if name == TRACESTATE:
        valid = is_value(value, MAX_TRACESTATE)
        inbound.tracestate = value if valid else inbound.tracestate
        return valid
    found = parse_traceparent(value.strip()) if len(value) <= MAX_VALUE else None
    if found is None:
        return False
    inbound.trace_id, inbound.parent_span_id, inbound.trace_flags = found
    return True


def xray(header: str | None) -> tuple[str, str]:
    """Read an X-Ray tracing header: (root id or "", "01" | "00" | "" for sampled).

    The form is ``Root=1-5759e988-bd862e3fe1be46a994272793;Parent=…;Sampled=1`` (X-Ray developer
    guide, "Tracing header").
    """
    root = sampled = ""
    for part in (header or "").split(";"):
        key, _, value = part.strip().partition("=")
        if key == "Root" and xray_to_trace_id(value):
            root = value
        elif key == "Sampled" and value in ("0", "1"):
            sampled = "0" + value
    return root, sampled


def xray_to_trace_id(root: str) -> str:
    """The W3C form (32 hex digits) of an X-Ray root id, or "" where it is none."""
    epoch, unique = root[2:10], root[11:]
    is_root = root[:2] == "1-" and root[10:11] == "-" and len(root) == 35
    return epoch + unique if is_root and not (epoch + unique).strip(_HEX) else ""
