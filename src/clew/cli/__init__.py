"""The command line: ``clew GROUP COMMAND``. Each group is one module, loaded when it is used."""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING, NoReturn

from clew.errors import ClewError

if TYPE_CHECKING:
    from collections.abc import Sequence

# What is missing -> the extra that brings it.
_EXTRAS = {
    "click": "ops",
    "rich": "ops",
    "boto3": "ops",
    "botocore": "ops",
    "prometheus_client": "ops",
    "urllib3": "ops",
    "jinja2": "stories",
    "opensearchpy": "stories",
    "starlette": "stories",
    "uvicorn": "stories",
    "zstandard": "stories",
    "matplotlib": "scaling",
    "numpy": "scaling",
    "pydantic": "scaling",
    "ministack": "local",
    "packaging": "local",
    "psutil": "local",
    "samtranslator": "local",
    "yaml": "local",
}
_OF_AWS = (  # of `clew story`: what needs no local cloud
    "--profile", "--region", "--log-group", "--insights", "--opensearch", "--store", "--from",
)  # fmt: skip
_INTERRUPTED = 130  # 128 + SIGINT, what shells expect


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its status.

    Errors that clew raises are one line on stderr; with ``--debug`` the traceback comes first.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    debug = "--debug" in words
    try:
        from clew.cli.root import run

        status = run(arguments)
    except ClewError as error:
        status = _fail(str(error), debug=debug)
    except ModuleNotFoundError as error:
        extra = _extra(error.name or "", words)
        if extra is None:
            raise
        status = _fail(
            f"This command needs {error.name}, which is not installed; "
            f"install it with: pip install 'clew[{extra}]'.",
            debug=debug,
        )
    except KeyboardInterrupt:
        status = _INTERRUPTED
    except BrokenPipeError:
        # `clew local logs | head` is no error, but Python would complain as it flushes at exit.
        _drop_output()
        status = 0
    except OSError as error:
        status = _fail(_system_said(error), debug=debug)
        _drop_output()
    except Exception as error:
        if not _is_from_aws(error):
            raise
        status = _fail(f"A call to AWS failed: {' '.join(str(error).split())}", debug=debug)
    sys.exit(status)


def _extra(missing: str, words: list[str]) -> str | None:
    """The extra that brings a module; of several, the one that this command needs altogether."""
    name = missing.partition(".")[0]
    extra = _EXTRAS.get(name)
    if _command(words) == "streams" and (name == "yaml" or extra == "ops"):
        return "scaling"  # which brings them along
    if extra == "ops" and _is_local(words):
        return "local"  # likewise
    return extra


def _is_local(words: list[str]) -> bool:
    """Whether a command line is about a local cloud, as far as it can be told without click."""
    command = _command(words)
    if command == "story":
        return not any(word.startswith(_OF_AWS) for word in words)
    return command == "local" or any(word.startswith("--local") for word in words)


def _command(words: list[str]) -> str:
    return next((word for word in words if not word.startswith("-")), "")


def _system_said(error: OSError) -> str:
    what = error.strerror or str(error) or type(error).__name__
    if error.filename is not None:
        return f"{what}: {os.fsdecode(error.filename)}; see that it can be read and written."
    return f"{what}; see what standard output leads to, or where with --debug."


def _is_from_aws(error: Exception) -> bool:
    """Whether botocore raised it; asked without loading botocore, which is slow."""
    modules = (sys.modules.get("botocore.exceptions"), sys.modules.get("boto3.exceptions"))
    names = ("BotoCoreError", "ClientError", "Boto3Error")
    kinds = (getattr(module, name, None) for module in modules for name in names)
    return isinstance(error, tuple(kind for kind in kinds if kind is not None))


def _drop_output() -> None:
    """Keep what stdout did not take from being written, and complained of, at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(sentence: str, *, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(f"clew: {sentence}", file=sys.stderr)  # noqa: T201 - click may be what is missing
    return 1
