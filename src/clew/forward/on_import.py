"""Set a hook on a library when the user's code imports it, and never import it for that.

A module with a hook has two functions: ``hook()``, called once after the library's module was
imported, and ``unhook()``, which takes it out again.
"""

from __future__ import annotations

import sys

from clew.log.internal import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

#: Library module that is waited for -> module with its hook.
_waiting: dict[str, str] = {}
#: Modules whose hook is set.
_set: set[str] = set()


def when_imported(library: str, hook_module: str) -> None:
    """Call ``hook()`` of ``hook_module`` now if ``library`` is imported, else when it is."""
    if library in sys.modules:
        _hook(hook_module)
    elif hook_module not in _set:
        _waiting[library] = hook_module
        if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
            sys.meta_path.insert(0, _Finder())


def forget_all() -> None:
    """Take out every hook that was set, and wait for no library any more."""
    from importlib import import_module

    _waiting.clear()
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    for name in sorted(_set):
        import_module(name).unhook()
    _set.clear()


def _hook(name: str) -> None:
    if name in _set:
        return
    _set.add(name)
    try:
        from importlib import import_module

        import_module(name).hook()
    except Exception:  # noqa: BLE001  (a library of another version is used without the hook)
        failed(f"hooking {name.rpartition('.')[2]}")


class _Finder:
    """Finds nothing itself: it wraps the loader that the others find for a module waited for."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        hook_module = _waiting.pop(name, None)
        if hook_module is None:
            return None
        for finder in sys.meta_path:
            if finder is self:
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, hook_module)  # type: ignore[assignment]
                return spec
        _waiting[name] = hook_module  # not installed; it may be at the next try
        return None


class _Loader:
    """Loads by another loader, then sets the hook and is gone."""

    def __init__(self, loader: Any, hook_module: str) -> None:
        self._loader = loader
        self._hook_module = hook_module

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        created: ModuleType | None = self._loader.create_module(spec)
        return created

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        _hook(self._hook_module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)
