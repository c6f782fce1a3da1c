"""distribute: puts each post on its followers' timelines, and says what one does that fails.

The template's parameter ``Policy`` names the handler that is deployed. A real application has one
of them; all three are here so that they can be compared.
"""

from __future__ import annotations

import os

from timelines import place

import clew

DEAD_LETTERS = os.environ["DEAD_LETTERS_URL"]
GIVEN_UP = os.environ["GIVEN_UP_URL"]
AFTER = os.environ["SECOND_CHANCE_AFTER"]


# Order before all: until this post is placed, no later one is, of any author.
# Wrong for timelines: one broken post stops everybody's feed. Right for a ledger.
@clew.kinesis_handler(on_failure=clew.halt())
def halt(record: clew.KinesisRecord) -> None:
    """One post, or none after it."""
    place(record)


# Real time before all: the post is lost to its readers, and the log says so.
@clew.kinesis_handler(on_failure=clew.skip())
def skip(record: clew.KinesisRecord) -> None:
    """One post, if it can be placed."""
    place(record)


# What timelines want: two more attempts within a second (a table may be
# throttled), and then the others go on. The post has a second chance below.
@clew.kinesis_handler(
    on_failure=clew.retry(times=2, within="1s", then=clew.dead_letter(DEAD_LETTERS))
)
def retry(record: clew.KinesisRecord) -> None:
    """One post, now or a little later."""
    place(record)


# The same function on the queue of dead letters, where it holds up nobody.
second_chance = clew.retry_handler(
    on_failure=clew.retry(
        times=2,
        backoff=AFTER,
        in_queue=True,
        then=clew.dead_letter(GIVEN_UP),
    )
)(retry)
