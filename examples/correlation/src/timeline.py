"""The function on the stream: puts each post on its followers' timelines, in order."""

from __future__ import annotations

import uuid

from profiles import find_profiles

import clew

log = clew.get_logger(__name__)


# An author's posts have to stay in order, so the next one waits for a post that cannot be placed:
# halt, and the event source mapping tries it again, until it puts it aside. It halves the batch to
# find it (see template.yaml), which takes an error and no report.
@clew.kinesis_handler(on_failure=clew.halt(), report=False)
def handler(record: clew.KinesisRecord) -> None:
    """One post, with the people who are to see it."""
    clew.bind(timeline_id=f"timeline-{uuid.uuid4().hex[:8]}")
    post = record.payload
    log.debug("record as read", extra={"read": post})
    followers = find_profiles(post["followers"])
    log.debug("profiles of the followers", extra={"profiles": followers})
    for follower in followers:
        place(post, follower["name"])
    log.info("on the timelines", extra={"followers": len(followers)})


def place(post: dict[str, str], follower: str) -> None:
    """Put ``post`` on the timeline of ``follower``, by name."""
    timeline = follower.lower().replace(" ", "-")
    log.debug("placed", extra={"timeline": timeline, "text": post["text"]})
