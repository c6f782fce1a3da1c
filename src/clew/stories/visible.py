"""Logged text on a terminal. Pure."""

from __future__ import annotations


def visible(text: str, *, ascii_only: bool = False) -> str:
    """``text`` with everything spelled out that a terminal would obey instead of showing.

    That is control characters, line breaks, bidi marks, zero-width characters and halves of
    surrogate pairs; with ``ascii_only``, all that is not ASCII.
    """
    if text.isprintable() and (text.isascii() or not ascii_only):
        return text
    return "".join(
        each if each.isprintable() and (each.isascii() or not ascii_only) else _spelled(each)
        for each in text
    )


def _spelled(each: str) -> str:
    return " " if each == "\t" else ascii(each)[1:-1]
