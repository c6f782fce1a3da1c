"""A plan as the table keeps it while it is carried out, so that whoever comes next can go on. Pure.

What matters of a plan are its boundaries: which operations are left follows from the stream.
"""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from clew.scaling.hot_keys import HotKey
from clew.scaling.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable

_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class Begun:
    """A plan under way: what it is, who asked for it and why, and how it is to be remembered."""

    id: str
    plan: Plan
    who: str
    why: str
    words: str
    began_s: float
    open_before: tuple[int, ...]  # the boundaries before it
    event: str = ""  # the key of the alarm that asked, if one did
    turns: int = 0  # invocations that have worked on it
    hot_keys: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """What :meth:`from_json` makes the same of, but for operations and utilisations."""
        plan = {
            name: getattr(self.plan, name)
            for name in Plan.__slots__
            if name not in {"operations", "utilisation", "cuts", "hot_keys"}
        }
        plan["cuts"] = _packed(self.plan.cuts)
        plan["hot_keys"] = [asdict(key) for key in self.plan.hot_keys]
        return {
            "id": self.id,
            "plan": plan,
            "who": self.who,
            "why": self.why,
            "words": self.words,
            "began_s": self.began_s,
            "open_before": _packed(self.open_before),
            "event": self.event,
            "turns": self.turns,
            "hot_keys": list(self.hot_keys),
        }

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Begun:
        """The plan that the table has."""
        plan = said["plan"]
        known = Plan(
            **{
                **plan,
                "cuts": _unpacked(plan["cuts"]),
                "calls": tuple(plan["calls"]),
                "operations": (),
                "utilisation": (),
                "hot_keys": tuple(HotKey(**key) for key in plan["hot_keys"]),
            }
        )
        return cls(
            **{
                **said,
                "plan": known,
                "open_before": _unpacked(said["open_before"]),
                "hot_keys": tuple(said["hot_keys"]),
            }
        )


def _packed(cuts: Iterable[int]) -> str:
    """Boundaries in little room: an item of the table has 400 KB, and there may be 10,000."""
    return base64.b64encode(b"".join(cut.to_bytes(_KEY_BYTES) for cut in cuts)).decode()


def _unpacked(text: str) -> tuple[int, ...]:
    raw = base64.b64decode(text)
    return tuple(int.from_bytes(raw[at : at + _KEY_BYTES]) for at in range(0, len(raw), _KEY_BYTES))
