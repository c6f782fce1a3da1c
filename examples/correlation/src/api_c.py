"""api-c: people's profiles, from a replica that lags behind for those who have just joined."""

from __future__ import annotations

import json
import os
import time
import uuid
from typing import Any

from people import NAMES, name_and_joined_at

import clew

log = clew.get_logger(__name__)


@clew.api_handler
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """``GET /profiles?people=cersei,jaime``: a list of ``{"person": …, "name": …}``."""
    clew.bind(lookup_id=f"lookup-{uuid.uuid4().hex[:8]}")
    asked = event.get("queryStringParameters") or {}
    profiles = [profile(person) for person in asked.get("people", "").split(",")]
    log.debug("profiles as the replica has them", extra={"profiles": profiles})
    log.info("profiles found", extra={"people": len(profiles)})
    headers = {"content-type": "application/json"}
    return {"statusCode": 200, "headers": headers, "body": json.dumps(profiles)}


def profile(person: str) -> dict[str, Any]:
    """One profile. The name of somebody who has just joined is not here yet: None."""
    name, joined_at = name_and_joined_at(person)
    replicated = time.time() - joined_at > float(os.environ["REPLICATION_LAG_SECONDS"])
    return {"person": person, "name": NAMES.get(name, name) if replicated else None}
