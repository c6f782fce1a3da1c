"""Asks a running local cloud what only it knows, and tells it what to do."""

from __future__ import annotations

import http.client
import json
from typing import Any

from clew.localcloud.environment import LOOPBACK
from clew.localcloud.errors import LocalCloudError

_TIMEOUT_S = 15.0

#: In the user agent of what clew itself asks; injected faults do not strike it.
OWN_CALL = "clew-own-call"


def ask(port: int, method: str, path: str, body: Any = None) -> Any:
    """The answer of the local cloud on this loopback port, as JSON values.

    Raises:
        LocalCloudError: It does not answer, or it refuses; the message is its reason.
    """
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_TIMEOUT_S)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise LocalCloudError(
            f"The local cloud at http://{LOOPBACK}:{port} does not answer any more; "
            "see which ones run with: clew local status."
        ) from error
    finally:
        connection.close()
    if response.status != http.HTTPStatus.OK:
        reason = answer.get("error") if isinstance(answer, dict) else None
        raise LocalCloudError(
            reason or f"What answers at http://{LOOPBACK}:{port} is no local cloud of this clew."
        )
    return answer
