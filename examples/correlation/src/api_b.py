"""api-b: who an author is, and who follows them."""

from __future__ import annotations

import json
from typing import Any

from people import AUTHORS
from profiles import find_profiles

import clew

log = clew.get_logger(__name__)


@clew.api_handler
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """``GET /authors/{author}``: their name and followers, or 404."""
    asked = event["pathParameters"]["author"]
    author = AUTHORS.get(asked)
    if author is None:
        log.info("no such author", extra={"author": asked})
        return {"statusCode": 404}

    clew.bind(author_id=author["id"])
    log.debug("author as stored", extra={"author": author})
    (profile,) = find_profiles([asked])
    log.info("author found", extra={"author": profile["name"]})
    body = {"name": profile["name"], "followers": author["followers"]}
    headers = {"content-type": "application/json"}
    return {"statusCode": 200, "headers": headers, "body": json.dumps(body)}
