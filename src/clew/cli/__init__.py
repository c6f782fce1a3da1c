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
    "ministack": "local",
    "packaging": "local",
    "psutil": "local",
    "samtranslator": "local",
    "yaml": "local",
}
_INTERRUPTED = 130  # 128 + SIGINT, what shells expect


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its status.

    Errors that clew raises are one line on stderr; with ``--debug`` the traceback comes first.
    """
    debug = "--debug" in (sys.argv if arguments is None else arguments)
    try:
        from clew.cli.root import run

        status = run(arguments)
    except ClewError as error:
        status = _fail(str(error), debug=debug)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
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
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status)


def _fail(sentence: str, *, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(f"clew: {sentence}", file=sys.stderr)  # noqa: T201 - click may be what is missing
    return 1
