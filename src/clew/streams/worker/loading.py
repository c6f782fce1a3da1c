"""Finds the function that is named as ``module:function``, as Lambda finds its handler."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clew.streams.worker.errors import WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable


def load_function(name: str, directory: Path | None = None) -> Callable[[Any, Any], Any]:
    """The function ``module:function`` or, as in a template, ``module.function``.

    Args:
        name: Its name.
        directory: Where modules are looked for first; the working directory if not given.

    Raises:
        WorkerError: There is none, or its module cannot be imported.
    """
    module_name, _, function_name = name.partition(":")
    if not function_name:
        module_name, _, function_name = name.rpartition(".")
    module_name = module_name.replace("/", ".")
    if not module_name or not function_name:
        raise WorkerError(f"{name!r} names no function; name one as module:function.")
    place = str(directory or Path.cwd())
    if place not in sys.path:
        sys.path.insert(0, place)
    try:
        found: Any = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and module_name.startswith(error.name):
            raise WorkerError(
                f"There is no module {module_name} in {place}; name the function as "
                "module:function, from the directory that holds the module."
            ) from error
        raise WorkerError(
            f"The module {module_name} needs {error.name}, which is not installed; install it."
        ) from error
    except Exception as error:
        raise WorkerError(
            f"The module {module_name} cannot be imported: {type(error).__name__}: {error}."
        ) from error
    for part in function_name.split("."):
        if not hasattr(found, part):
            raise WorkerError(f"The module {module_name} has no {function_name}; name what it has.")
        found = getattr(found, part)
    if not callable(found):
        raise WorkerError(f"{name} is not a function, but {type(found).__name__}; name one.")
    function: Callable[[Any, Any], Any] = found
    return function
