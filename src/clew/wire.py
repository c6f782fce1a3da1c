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
#: What makes the decision to log at DEBUG count where ``CLEW_SECRET`` is set: see `clew.trust`.
SIGNATURE = "debug-log-signature"
USER_AGENT = "user-agent"
CHAIN = "call-chain-length"
TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"
#: W3C Baggage: passed on as it came. It is not clew's, and not among the fields of a correlation.
BAGGAGE = "baggage"
#: X-Ray's own header. clew reads it and never writes it.
XRAY = "x-amzn-trace-id"

#: The object that carries every field inside a JSON payload.
CONTEXT = "__context"
#: The name that ``@dazn/lambda-powertools`` gives to the same object.
CONTEXT_ALIASES = (CONTEXT, "__context__")
#: Names that this library looks for as it writes them; clew itself knows them in any case.
NODE_NAMES = {USER_AGENT: "User-Agent"}
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
#: W3C Baggage, "Limits": so many members and bytes have to be passed on.
MAX_BAGGAGEMEMBERS = 64
MAX_BAGGAGE = 8192
#: ``<seconds since 1970>.<64 hex digits>``.
MAX_SIGNATURE = 80
#: More hops than this is not a length but noise; the number still fits every carrier.
MAX_CHAIN = 9999

# No regular expressions here: to compile them costs a cold start more than all the rest of this.
_IN_NAMES = "abcdefghijklmnopqrstuvwxyz0123456789-"
_HEX = "0123456789abcdef"
_HEX_AND_DASH = f"{_HEX}-"
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
#: W3C Baggage, "Definition": a key is a token of RFC 9110; the others are what a value has not.
_TOKEN = f"{_IN_NAMES[:36]}ABCDEFGHIJKLMNOPQRSTUVWXYZ!#$%&'*+-.^_`|~"
_NOT_IN_VALUES = frozenset(' ",;\\')
#: How clew's own member of a ``tracestate`` begins. See `with_send`.
MEMBER = "clew="

_OTHERS = frozenset((DEBUG, SIGNATURE, USER_AGENT, CHAIN, TRACEPARENT, TRACESTATE))
#: Headers that are not clew's, and of which one that is none is no loss.
_OF_OTHERS = frozenset((BAGGAGE, XRAY))
#: What stands beside the fields of a correlation, not among them.
_BESIDE = _OF_OTHERS | {TRACEPARENT, TRACESTATE, SIGNATURE}
_DECISIONS = frozenset(("true", "false"))
CHAIN_DIGITS = len(str(MAX_CHAIN))
#: The pair that a carrier yields for fields that it cannot read: `check` drops and counts it.
UNREADABLE = (ID, None)


class Inbound:
    """The fields that came in, after the check.

    ``fields`` holds ids, user agent, the DEBUG decision and the chain length as they came (lower
    case names); ``trace_id`` and ``parent_span_id`` are lower-case hex of 32 and 16 digits, or
    empty; ``trace_flags`` is two hex digits; ``remote_span_id`` is the span in the ``traceparent``
    where the send, which is the parent, stood in the ``tracestate``; ``baggage`` and ``xray`` are
    these headers as they came, or ""; ``signature`` is that of the DEBUG decision as it came,
    not verified, or ""; ``dropped`` counts what broke a limit.
    """

    __slots__ = (
        "baggage",
        "dropped",
        "fields",
        "parent_span_id",
        "remote_span_id",
        "signature",
        "trace_flags",
        "trace_id",
        "tracestate",
        "xray",
    )

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.trace_id = ""
        self.parent_span_id = ""
        self.remote_span_id = ""
        self.trace_flags = ""
        self.tracestate = ""
        self.baggage = ""
        self.signature = ""
        self.xray = ""
        self.dropped = 0


def is_field(name: str) -> bool:
    """Whether ``name`` (lower case) is one that clew reads and writes."""
    return name.startswith(PREFIX) or name in _OTHERS


def is_value(value: object, limit: int = MAX_VALUE) -> bool:
    """Whether ``value`` may travel: a str of 1 to ``limit`` printable ASCII characters.

    None of the outer ones is a space: HTTP has no such values (RFC 9110, "Field Values"), and
    clients refuse to send them.
    """
    return (
        isinstance(value, str)
        and 0 < len(value) <= limit
        and value.isascii()
        and value.isprintable()
        and value[0] != " " != value[-1]
    )


def is_name(name: str) -> bool:
    """Whether an id may have this name: 1 to 64 of ``[a-z0-9-]``."""
    # What `strip` leaves begins with a character that is not among them.
    return 0 < len(name) <= MAX_NAME and not name.strip(_IN_NAMES)


def parse_traceparent(value: str) -> tuple[str, str, str] | None:
    """(trace id, parent span id, flags) of a W3C ``traceparent``, or None where it is none.

    W3C Trace Context, "traceparent header": only a version after 00 may have more fields, which
    are passed over.
    """
    head = value[:55]
    if len(head) < 55 or head[2] != "-" or head[35] != "-" or head[52] != "-":
        return None
    if head.strip(_HEX_AND_DASH) or head.count("-") != 3 or head[:2] == "ff":
        return None
    trace, parent, flags = head[3:35], head[36:52], head[53:]
    if trace == _NO_TRACE or parent == _NO_SPAN:
        return None
    if len(value) > 55 and (head[:2] == "00" or value[55] != "-"):
        return None
    return trace, parent, flags


def trace_of(trace_id: str, flags: str) -> tuple[str, str]:
    """A trace id and its flags if they may stand in a ``traceparent``; else none, and sampled."""
    found = parse_traceparent(f"00-{trace_id}-{'1' * 16}-{flags}") if trace_id else None
    return (found[0], found[2]) if found is not None else ("", "01")


def check(pairs: Iterable[tuple[object, object]]) -> Inbound:  # noqa: C901, PLR0912  (one pass)
    """Keep from ``pairs`` (name, value) what is clew's and within the limits.

    Names are matched without regard to case. Of two pairs with one name the last counts. At most
    32 ids, names of ``[a-z0-9-]{1,64}``, values of 1 to 256 printable ASCII characters (spaces
    around them are taken off), 4 KiB together; the rest is dropped and counted. A ``tracestate``
    without a ``traceparent`` means nothing and is left out (W3C Trace Context, "tracestate
    header"). Never raises.
    """
    inbound = Inbound()
    fields = inbound.fields
    total = ids = 0
    for raw_name, value in pairs:
        if not isinstance(raw_name, str):
            continue
        name = _names.get(raw_name)
        if name is None:
            name = _new_name(raw_name)
        if not name:  # as most headers
            continue
        if isinstance(value, str):
            value = value.strip(" ")  # noqa: PLW2901
        elif name == CHAIN and type(value) is int:
            value = str(value)  # as the Node library writes it  # noqa: PLW2901
        elif name not in _OF_OTHERS:
            inbound.dropped += 1
            continue
        else:
            continue
        is_id = name.startswith(PREFIX)
        if name in _BESIDE:
            inbound.dropped += not _take_beside(inbound, name, value)
        elif not (0 < len(value) <= MAX_VALUE and value.isascii() and value.isprintable()):
            inbound.dropped += 1
        elif name == ID:
            fields[name] = value
        elif name == DEBUG and value.lower() in _DECISIONS:
            fields[name] = value.lower()
        elif name == CHAIN and value.isdecimal() and len(value) <= CHAIN_DIGITS:
            fields[name] = value
        elif name == USER_AGENT or (is_id and is_name(name)):
            new = name not in fields
            size = len(value) + (len(name) if new else -len(fields[name]))
            if total + size > MAX_TOTAL - ROOM_KEPT or (is_id and new and ids >= MAX_IDS - 1):
                inbound.dropped += 1
            else:
                total += size
                ids += is_id and new
                fields[name] = value
        else:
            inbound.dropped += 1
    if not inbound.trace_id:
        inbound.tracestate = ""
    elif MEMBER in inbound.tracestate:
        _take_send(inbound)
    return inbound


#: Names as they came -> in lower case, or "" where they are of no field: looked at once a process.
_names: dict[str, str] = {}
_MAX_NAMES = 1024


def _new_name(raw_name: str) -> str:
    name = raw_name.lower()
    known = name if is_field(name) or name in _OF_OTHERS else ""
    if len(raw_name) <= MAX_NAME:
        if len(_names) >= _MAX_NAMES:  # strangers send any names
            _names.clear()
        _names[raw_name] = known
    return known


def _take_beside(inbound: Inbound, name: str, value: str) -> bool:
    """Take a header that is no field over; False where it is none, and has to be counted."""
    if name == XRAY:
        inbound.xray = value if len(value) <= MAX_TOTAL else inbound.xray
        return True
    if name == BAGGAGE:
        valid = is_baggage(value)
        inbound.baggage = value.strip(" \t") if valid else inbound.baggage
        return valid or "=" not in value
    if name == SIGNATURE:
        valid = is_value(value, MAX_SIGNATURE)
        inbound.signature = value if valid else inbound.signature
        return valid
    if name == TRACESTATE:
        valid = is_value(value, MAX_TRACESTATE)
        inbound.tracestate = value if valid else inbound.tracestate
        return valid
    found = parse_traceparent(value.strip()) if len(value) <= MAX_VALUE else None
    if found is None:
        return False
    inbound.trace_id, inbound.parent_span_id, inbound.trace_flags = found
    return True


def with_send(tracestate: str, span_id: str, outer: str) -> str:
    """``tracestate`` that names the send ``span_id`` of a ``traceparent`` that names ``outer``.

    Where OpenTelemetry has a span in hand, that is what the receiver's spans hang under, and all
    that is sent during it has it in the ``traceparent``. Which send it was then stands here, as
    ``clew=<send>-<outer>``: whoever passes the state on under a span of its own makes it void.
    """
    member = f"{MEMBER}{span_id}-{outer}"
    room = MAX_TRACESTATE - len(member) - 1
    if len(tracestate) > room:  # W3C Trace Context, "tracestate Limits": the last ones go first
        tracestate = tracestate[: room + 1].rpartition(",")[0].rstrip(" ")
    return f"{member},{tracestate}" if tracestate else member


def _take_send(inbound: Inbound) -> None:
    """Take the send out of the ``tracestate``; where it is void, only out."""
    members = [member.strip() for member in inbound.tracestate.split(",")]
    inbound.tracestate = ",".join(one for one in members if not one.startswith(MEMBER))
    for member in members:
        send, _, outer = member.removeprefix(MEMBER).partition("-")
        if (
            member.startswith(MEMBER)
            and outer == inbound.parent_span_id
            and len(send) == len(_NO_SPAN)
            and not send.strip(_HEX)
        ):
            inbound.remote_span_id, inbound.parent_span_id = outer, send
            return


def is_baggage(value: str) -> bool:
    """Whether ``value`` is a W3C ``baggage`` header within the limits."""
    if len(value) > MAX_BAGGAGE or not value.isascii():
        return False
    members = value.split(",")
    return len(members) <= MAX_BAGGAGEMEMBERS and all(_is_baggage_member(one) for one in members)


def _is_baggage_member(member: str) -> bool:
    """``key=value``, and properties (``key`` or ``key=value``) behind semicolons."""
    pair, *properties = member.split(";")
    return "=" in pair and all(_is_baggage_pair(one) for one in (pair, *properties))


def _is_baggage_pair(pair: str) -> bool:
    key, _, value = (part.strip(" \t") for part in pair.partition("="))
    return (
        key != ""
        and not key.strip(_TOKEN)
        and value.isprintable()
        and _NOT_IN_VALUES.isdisjoint(value)
    )


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
