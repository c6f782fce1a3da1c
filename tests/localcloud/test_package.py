"""The zip file of a function."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from clew.localcloud import LocalCloudError
from clew.localcloud.package import folder_zip, function_zip
from clew.localcloud.requirements import unmet

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    (folder / "deep" / "__pycache__").mkdir(parents=True)
    (folder / "app.py").write_text("import clew\n")
    (folder / "deep" / "data.json").write_text("{}")
    (folder / "deep" / "__pycache__" / "app.cpython-311.pyc").write_bytes(b"\0")
    return folder


def _names(content: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(content)).namelist()


def test_the_same_sources_give_the_same_bytes(code: Path) -> None:
    first = function_zip(code)
    for path in code.rglob("*"):
        os.utime(path, (1, 1))
    assert function_zip(code) == first
    (code / "app.py").write_text("import clew \n")
    assert function_zip(code) != first


def test_the_runtime_goes_in_and_the_operations_stay_out(code: Path) -> None:
    names = _names(function_zip(code))
    assert names == sorted(names)
    assert {"app.py", "deep/data.json", "clew/__init__.py", "clew/errors.py"} <= set(names)
    left_out = ("clew/cli", "clew/localcloud", "clew/streams/worker")
    assert not [name for name in names if name.startswith(left_out)]
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_a_vendored_clew_is_left_alone(code: Path) -> None:
    (code / "clew").mkdir()
    (code / "clew" / "__init__.py").write_text("mine = True\n")
    assert [n for n in _names(function_zip(code)) if n.startswith("clew/")] == ["clew/__init__.py"]


def test_a_packed_function_imports_clew_from_its_zip(code: Path, tmp_path: Path) -> None:
    (tmp_path / "f.zip").write_bytes(function_zip(code))
    told = subprocess.run(
        [sys.executable, "-I", "-S", "-c", "import sys; sys.path[:0] = [sys.argv[1]]; "
         "import app, clew; print(clew.__file__)", str(tmp_path / "f.zip")],
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    assert str(tmp_path / "f.zip") in told.stdout


def test_a_layer_has_only_its_own_files(code: Path) -> None:
    assert _names(folder_zip(code)) == ["app.py", "deep/data.json"]


def test_what_is_installed_or_not_asked_for_here_is_met() -> None:
    lines = ["pytest>=1", "clew", "nothing-here; python_version<'3'", "boto3", "click==1.0"]
    assert unmet(lines) == ["click==1.0"]
    assert unmet(["no-such-thing", "-r other.txt", "./local"]) == [
        "no-such-thing",
        "-r other.txt",
        "./local",
    ]


def test_what_is_missing_is_installed_once_and_packed(
    code: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    wheel = _wheel(tmp_path)
    (code / "requirements.txt").write_text(f"clew  # packed in\ntiny @ {wheel.as_uri()}\n")
    assert "tiny.py" in _names(function_zip(code))
    wheel.unlink()  # from now on only the cache has it
    assert "tiny.py" in _names(function_zip(code))


def test_a_failed_installation_gets_one_sentence(
    code: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    gone = tmp_path / "gone-1-py3-none-any.whl"
    (code / "requirements.txt").write_text(f"gone @ {gone.as_uri()}\n")
    with pytest.raises(LocalCloudError) as caught:
        function_zip(code)
    assert "requirements.txt: pip could not install the requirements: " in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "cache" / "clew" / "requirements").iterdir())


def _wheel(folder: Path) -> Path:
    path = folder / "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tiny.py", "size = 1\n")
        for name, fields in {
            "METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n",
            "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "RECORD": "",
        }.items():
            wheel.writestr(f"tiny-1.dist-info/{name}", fields)
    return path
