"""The function on the topic: tells an author's followers that there is a post."""

from __future__ import annotations

import json
import uuid

from profiles import find_profiles

import clew

log = clew.get_logger(__name__)


@clew.sns_handler
def handler(record: clew.SnsRecord) -> None:
    """One message: a post was published."""
    clew.bind(notification_id=f"notification-{uuid.uuid4().hex[:8]}")
    log.debug("message as read", extra={"read": record.payload, "attributes": record.attributes})
    post = json.loads(record.payload)
    (author,) = find_profiles([post["author"]])
    log.info("followers notified", extra={"text": f"{author['name']}: {post['text']}"})
