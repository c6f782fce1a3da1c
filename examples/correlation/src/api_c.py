"""api-c: people's profiles."""

from __future__ import annotations

import json
import uuid
from typing import Any

from people import NAMES

import clew

log = clew.get_logger(__name__)


@clew.api_handler
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """``GET /profiles?people=cersei,jaime``: a list of ``{"person": …, "name": …}``."""
    clew.bind(lookup_id=f"lookup-{uuid.uuid4().hex[:8]}")
    asked = event.get("queryStringParameters") or {}
    people = asked.get("people", "").split(",")
    profiles = [{"person": person, "name": NAMES.get(person)} for person in people]
    log.debug("profiles as stored", extra={"profiles": profiles})
    log.info("profiles found", extra={"people": len(profiles)})
    headers = {"content-type": "application/json"}
    return {"statusCode": 200, "headers": headers, "body": json.dumps(profiles)}
