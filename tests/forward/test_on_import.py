"""The import hook: there when the library comes, and otherwise not to be seen."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import clew
from clew.forward import on_import

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def in_a_new_process(code: str) -> str:
    """What ``code`` prints in an interpreter that imported nothing yet; fails on any warning."""
    done = subprocess.run(
        [sys.executable, "-W", "error::ImportWarning", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("library", "method"),
    [
        ("requests", "requests.sessions.Session.send"),
        ("httpx", "httpx.Client._send_single_request"),
        ("urllib3", "urllib3.connectionpool.HTTPConnectionPool.urlopen"),
        ("aiohttp", "aiohttp.client.ClientSession._request"),
        ("http.client", "http.client.HTTPConnection.endheaders"),
        ("botocore.client", "botocore.client.BaseClient._make_api_call"),
        ("aiobotocore.client", "aiobotocore.client.AioBaseClient._make_api_call"),
        ("s3transfer.tasks", "s3transfer.tasks.Task.__call__"),
    ],
)
def test_a_library_imported_later_is_hooked_and_unhooked(library: str, method: str) -> None:
    module = library.partition(".")[0]
    said = in_a_new_process(
        "import sys, clew\n"
        "clew.instrument()\n"
        f"assert {module!r} not in sys.modules or {module!r} == 'http'\n"
        f"import {library}\n"
        f"print({method}.__globals__['__name__'].startswith('clew.'))\n"
        "clew.uninstrument()\n"
        f"print({method}.__globals__['__name__'].startswith('clew.'))\n"
        "print([one for one in sys.meta_path if type(one).__module__.startswith('clew')])\n"
    )
    assert said.splitlines() == ["True", "False", "[]"]


def test_instrument_imports_no_client_and_no_sdk() -> None:
    said = in_a_new_process(
        "import sys, clew\n"
        "clew.instrument()\n"
        "heavy = 'boto3 botocore requests httpx urllib3 aiohttp s3transfer asyncio'.split()\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    assert said == "[]"


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package that is waited for, with a data file, and a module that hooks it."""
    package = tmp_path / "awaited"
    package.mkdir()
    (package / "__init__.py").write_text('"""Waited for."""\nVALUE = object()\n')
    (package / "data.txt").write_text("data")
    (package / "inner.py").write_text("")
    (tmp_path / "awaited_hook.py").write_text(
        "import sys\n"
        "seen = []\n"
        "def hook(): seen.append(sys.modules['awaited'].VALUE)\n"
        "def unhook(): seen.clear()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    clew.uninstrument()
    on_import.when_imported("awaited", "awaited_hook")
    yield "awaited"
    clew.uninstrument()
    for name in ("awaited", "awaited.inner", "awaited_hook"):
        sys.modules.pop(name, None)


def _seen() -> list[Any]:
    seen: list[Any] = importlib.import_module("awaited_hook").seen
    return seen


def test_the_module_is_as_if_nobody_had_waited_for_it(library: str) -> None:
    import importlib.resources
    import inspect
    import pkgutil

    module = importlib.import_module(library)
    assert _seen() == [module.VALUE]
    assert module.__spec__ is not None
    assert module.__loader__ is module.__spec__.loader
    assert type(module.__loader__).__module__ == "_frozen_importlib_external"
    assert (importlib.resources.files(library) / "data.txt").read_text() == "data"
    assert pkgutil.get_data(library, "data.txt") == b"data"
    assert [one.name for one in pkgutil.iter_modules(module.__path__)] == ["inner"]
    assert inspect.getsource(module).startswith('"""Waited for."""')


def test_looking_for_it_without_importing_it_spoils_nothing(library: str) -> None:
    for _ in range(2):
        spec = importlib.util.find_spec(library)
        assert spec is not None
        assert spec.origin is not None
        assert spec.origin.endswith("__init__.py")
        assert spec.loader is not None
        assert spec.loader.is_package(library)  # type: ignore[attr-defined]
    assert library not in sys.modules
    module = importlib.import_module(library)
    assert _seen() == [module.VALUE]


def test_a_reload_is_hooked_again(library: str) -> None:
    module = importlib.import_module(library)
    first = module.VALUE
    importlib.reload(module)
    assert module.VALUE is not first
    assert _seen() == [first, module.VALUE]
    assert type(module.__loader__).__module__ == "_frozen_importlib_external"


def test_other_finders_of_this_kind_may_ask_all_finders_again(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Finder:
        """As other libraries wait for imports."""

        asked = 0

        def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
            if name != library or Finder.asked > 5:
                return None
            Finder.asked += 1
            if Finder.asked % 2 == 0:
                return None
            return importlib.util.find_spec(name)

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path[:1], Finder(), *sys.meta_path[1:]])
    module = importlib.import_module(library)
    assert Finder.asked == 2
    assert _seen() == [module.VALUE]


def test_a_library_that_fails_to_load_fails_as_it_would(library: str, tmp_path: Path) -> None:
    init = tmp_path / "awaited" / "__init__.py"
    good = init.read_text()
    init.write_text("raise ImportError('not today')")
    with pytest.raises(ImportError, match="not today"):
        importlib.import_module(library)
    assert library not in sys.modules
    init.write_text(good + "# the same second, another size\n")
    importlib.invalidate_caches()
    module = importlib.import_module(library)
    assert _seen() == [module.VALUE]


def test_a_library_that_is_not_there_is_not_found_as_before(library: str) -> None:
    on_import.when_imported("nowhere_to_be_found", "awaited_hook")
    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        importlib.import_module("nowhere_to_be_found")
    assert importlib.util.find_spec("nowhere_to_be_found") is None


def test_a_hook_that_fails_is_said_once_and_the_library_works(
    library: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "awaited_hook.py").write_text(
        "def hook(): raise AttributeError('another version')\n"
        "def unhook(): raise AttributeError('another version')\n"
    )
    assert importlib.import_module(library).VALUE
    assert "AttributeError: another version" in caplog.text
    clew.uninstrument()
    assert "unhooking awaited_hook" in caplog.text
