"""Why something could not be done with dead letters."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from clew.errors import ClewError

if TYPE_CHECKING:
    from collections.abc import Iterator


class DlqError(ClewError):
    """One sentence about a queue or a letter."""


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turns what AWS answers into a sentence about ``what``, "The queue orders" say."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        said = error.response.get("Error", {})
        code, message = said.get("Code", "an error"), said.get("Message", "").strip(" .")
        raise DlqError(f"{what} cannot be used: {code}: {message}.") from error
    except BotoCoreError as error:
        raise DlqError(f"{what} cannot be reached: {str(error).strip(' .')}.") from error
