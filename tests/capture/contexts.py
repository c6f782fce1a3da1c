"""Contexts as strangers may send them, for Hypothesis: most nearly right, some of any shape."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

#: Names of fields, and such as differ from one by a little.
NAMES = st.sampled_from(
    [
        "x-correlation-id",
        "X-Correlation-Id",
        "x-correlation-user-id",
        "x-correlation-order",
        "x-correlation-",
        "x-correlation-user_id",
        "debug-log-enabled",
        "debug-log-signature",
        "user-agent",
        "User-Agent",
        "call-chain-length",
        "traceparent",
        "tracestate",
        "baggage",
        "x-amzn-trace-id",
        "anything",
        "",
    ]
)
_HEX = "0123456789abcdef"


def _traceparent(version: str, trace_id: str, parent: str, flags: str, rest: str) -> str:
    return f"{version}-{trace_id}-{parent}-{flags}{rest}"


TRACEPARENTS = st.builds(
    _traceparent,
    st.sampled_from(["00"] * 8 + ["01", "ff", "0", "0A"]),
    st.one_of(
        st.text(_HEX, min_size=32, max_size=32),
        st.sampled_from(["0" * 32, "F" * 32, "0" * 16 + "1" * 16, "g" * 32, "-" * 32, "1" * 31]),
    ),
    st.one_of(
        st.text(_HEX, min_size=16, max_size=16),
        st.sampled_from(["0" * 16, "A" * 16, "1_" * 8, " " * 16, "1" * 17]),
    ),
    st.sampled_from(["01"] * 4 + ["00", "0", "001", "+1", "é1"]),
    st.sampled_from([""] * 8 + ["-more", " ", "\n"]),
)
TEXTS = st.one_of(
    st.sampled_from(
        [
            "a",
            "request-1",
            "",
            " a",
            "a ",
            "a b",
            " ",
            '"',
            "\\",
            "a" * 256,
            "a" * 257,
            "é",
            "a\x7f",
            "\ud800",
        ]
    ),
    st.text(max_size=20),
    st.text("abc-123 ", min_size=1, max_size=300),
)
VALUES: st.SearchStrategy[Any] = st.one_of(
    TEXTS,
    TRACEPARENTS,
    st.sampled_from(["true", "false", "TRUE", "0", "7", "50", "9999", "99999", "٣", "-1"]),
    st.sampled_from(["clew=00f067aa0ba902b7-00f067aa0ba902b7", "other=1", "a=1"]),
    st.sampled_from([None, True, 3, 10**30, 1.5, [], {}, ["a"]]),
)


@st.composite
def contexts(draw: st.DrawFn) -> dict[str, Any]:
    """A context as clew writes it, in which something may be another, missing or added."""
    fields: dict[str, Any] = {
        "x-correlation-id": draw(st.text("abc-123", min_size=1, max_size=40)),
        "x-correlation-user-id": "42",
        "debug-log-enabled": "false",
        "user-agent": "Mozilla/5.0 (X11; Linux)",
        "call-chain-length": str(draw(st.integers(0, 60))),
        "traceparent": draw(TRACEPARENTS),
    }
    for name in draw(st.lists(st.sampled_from([*fields]), max_size=1)):
        del fields[name]
    fields |= draw(st.dictionaries(NAMES, VALUES, max_size=draw(st.sampled_from([0, 0, 1, 3]))))
    names = draw(st.permutations([*fields])) if draw(st.booleans()) else [*fields]
    return {name: fields[name] for name in names}
