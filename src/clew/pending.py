"""Correlations that are made when somebody looks at them: most of a batch's never are."""

from __future__ import annotations

from _thread import RLock

from clew.correlation import Correlation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from clew.invocation import Invocation

    class Source(Protocol):
        """What came in and has a correlation, which nobody has looked at yet."""

        def receive_into(self, correlation: Correlation) -> None:
            """Make ``correlation``, which has no members yet. Called once; must not raise."""

        def line_members(self) -> str | None:
            """`Correlation.as_json` of what it will be; None if that is not known before."""


_new = object.__new__
#: One thread makes at a time, and may log meanwhile: a line looks at what is in force.
_making = RLock()


class PendingCorrelation(Correlation):
    """One that its source makes when it is first looked at. See `pending`.

    From then on it is any other correlation: it has no class of its own any more.
    """

    __slots__ = ()
    holds_any_name = False  # nothing but fields comes in
    _source: Source | None
    invocation: Invocation | None

    def __getattr__(self, name: str) -> Any:
        """A member that is not set: all of them are made now."""
        if name == "_source" or name not in Correlation.__slots__:
            raise AttributeError(name)
        with _making:
            if self._source is not None:
                self._source.receive_into(self)
                self._source = None  # which holds this one in turn
                self.__class__ = Correlation  # type: ignore[assignment]
        return object.__getattribute__(self, name)

    def as_json(self) -> str:
        line, source = self._json, self._source
        if line is None and source is not None:
            line = self._json = source.line_members()
        return Correlation.as_json(self) if line is None else line


def pending(source: Source, invocation: Invocation | None) -> Correlation:
    """A correlation that ``source`` makes when somebody looks at it."""
    later = _new(PendingCorrelation)
    later._source = source
    later._json = None
    later.invocation = invocation
    return later
