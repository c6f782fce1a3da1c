"""How the demos of the examples speak, and how they end."""

from __future__ import annotations

import signal
from typing import NoReturn

from rich.console import Console
from rich.text import Text

ASCII = str.maketrans("└├─▶✓", "`|->*")  # for a terminal that has no more


class NotAsToldError(Exception):
    """Something that the demo tells is not so."""


class Ending:
    """Makes Ctrl-C, SIGTERM and SIGHUP end the demo, cleaning up.

    Python drops an exception that is raised while it tidies up an object, so a signal is
    remembered as well.
    """

    def __init__(self) -> None:
        self.asked = 0  # the signal that came, if one did
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, self._ask)

    def _ask(self, signum: int, _frame: object) -> NoReturn:
        self.asked = signum
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise `KeyboardInterrupt` if a signal came."""
        if self.asked:
            raise KeyboardInterrupt


class Narrator:
    """Speaks to the reader, and vouches for what it says."""

    def __init__(self, ending: Ending) -> None:
        self.console = Console(highlight=False)
        self._ending = ending
        self._ascii = not self.console.encoding.lower().startswith("utf")

    def say(self, text: str = "", style: str = "") -> None:
        """A paragraph."""
        self._print("", Text(self._drawn(text), style))

    def head(self, text: str) -> None:
        """The title of a part."""
        self.say()
        self.console.rule(Text(text, "bold"), align="left", style="dim")
        self.say()

    def verbatim(self, text: str, style: str = "cyan") -> None:
        """A command or a picture: set off, and never broken into lines."""
        self.say()
        for line in self._drawn(text).splitlines():
            self.console.print(Text(f"  {line}", style), soft_wrap=True)
        self.say()

    def claim(self, sentence: str, holds: bool) -> None:
        """A sentence that is true; raises `NotAsToldError` if it is not."""
        if not holds:
            raise NotAsToldError(sentence)
        self._print(self._drawn("✓ "), Text(sentence))

    def _print(self, mark: str, text: Text) -> None:
        self._ending.check()
        for line in text.wrap(self.console, self.console.width - len(mark)):
            line.rstrip()
            self.console.print(Text.assemble((mark, "bold green"), line))
            mark = " " * len(mark)

    def _drawn(self, text: str) -> str:
        return text.translate(ASCII) if self._ascii else text
