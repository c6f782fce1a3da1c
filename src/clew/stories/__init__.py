"""Stories: what one request did, rebuilt from the log lines of every function it touched.

In a test or a script, with a `clew.localcloud.LocalCloud` or a boto3 session::

    story = find_story(cloud, "4f0c1f0e-0d7a-4f3e-9d53-0a3a5b1f6f5e", wait_s=10)
    assert not story.breaks, story.breaks[0].sentence
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clew.stories.find import StoryError, find_story
    from clew.stories.model import Break, Hop, Send, Story

__all__ = ["Break", "Hop", "Send", "Story", "StoryError", "find_story"]

_WHERE = {
    "Break": "clew.stories.model",
    "Hop": "clew.stories.model",
    "Send": "clew.stories.model",
    "Story": "clew.stories.model",
    "StoryError": "clew.stories.find",
    "find_story": "clew.stories.find",
}


def __getattr__(name: str) -> Any:
    # Rebuilding a story needs neither boto3 nor a terminal; finding one does.
    if name in _WHERE:
        from importlib import import_module

        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
