"""boto3's ``upload_file`` and ``upload_fileobj``, which send from threads of their own.

A task of theirs runs in the context of the thread that asked for it, so that `clew.forward.s3`
finds the correlation there.
"""

from __future__ import annotations

import sys
from contextvars import copy_context

from clew.correlation import current
from clew.forward.patching import replace, restore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_CONTEXT = "_clew_context"


def hook() -> None:
    """Keep the context of every task."""
    task = sys.modules["s3transfer.tasks"].Task
    replace(task, "__init__", _keeping)
    replace(task, "__call__", _running)


def unhook() -> None:
    """Keep nothing any more."""
    task = sys.modules["s3transfer.tasks"].Task
    restore(task, "__init__")
    restore(task, "__call__")


def _keeping(original: Callable[..., None]) -> Callable[..., None]:
    def make(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if current():
            setattr(self, _CONTEXT, copy_context())

    return make


def _running(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        context = self.__dict__.pop(_CONTEXT, None)
        if context is None:
            return original(self, *args, **kwargs)
        return context.run(original, self, *args, **kwargs)

    return call
