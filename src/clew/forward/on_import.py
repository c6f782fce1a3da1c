"""Set a hook on a library when the user's code imports it, and never import it for that.

A module with a hook has two functions: ``hook()``, called each time that the library's module was
imported (again, where it is reloaded), and ``unhook()``, which takes it out again.
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

#: Library module -> module with its hook.
_hooks: dict[str, str] = {}
#: Modules whose hook is set, or was.
_set: set[str] = set()


def when_imported(library: str, hook_module: str) -> None:
    """Call ``hook()`` of ``hook_module`` now if ``library`` is imported, and whenever it is."""
    if library in _hooks:
        return
    _hooks[library] = hook_module
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    if library in sys.modules:
        _hook(hook_module)


def is_waiting() -> bool:
    """Whether any hook is wanted. One that could not be taken out asks before it does anything."""
    return bool(_hooks)


def remember(hook_module: str) -> None:
    """Let `forget_all` take out what ``hook_module`` set without waiting for an import."""
    _set.add(hook_module)


def forget_all() -> None:
    """Take out every hook that was set, and wait for no library any more."""
    from importlib import import_module

    _hooks.clear()
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    for name in sorted(_set):
        try:
            import_module(name).unhook()
        except Exception:  # noqa: BLE001  (the others are taken out all the same)
            failed(f"unhooking {name.rpartition('.')[2]}")
    _set.clear()


def _hook(name: str) -> None:
    _set.add(name)
    try:
        from importlib import import_module

        import_module(name).hook()
    except Exception:  # noqa: BLE001  (a library of another version is used without the hook)
        failed(f"hooking {name.rpartition('.')[2]}")


class _Finder:
    """Finds nothing itself: it wraps the loader that the others find for a module waited for."""

    def __init__(self) -> None:
        self._finding: set[str] = set()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        hook_module = _hooks.get(name)
        if hook_module is None or name in self._finding:
            return None
        self._finding.add(name)  # others of this kind ask all finders again, this one too
        try:
            spec = self._found_by_others(name, path, target)
        finally:
            self._finding.discard(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, hook_module)  # type: ignore[assignment]
        return spec

    def _found_by_others(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec: ModuleSpec | None = find(name, path, target)
            if spec is not None:
                return spec
        return None


class _Loader:
    """Loads by another loader, which is all that is seen afterwards; then sets the hook."""

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
