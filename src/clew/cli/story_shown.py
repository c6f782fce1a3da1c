"""What ``clew story`` shows besides one story: candidates, a comparison, a story as it happens."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import Console
    from rich.text import Text

    from clew.stories import Story
    from clew.stories.diff import Comparison, Row
    from clew.stories.model import Hop, Send
    from clew.stories.search import FoundStories

_MAX_NAME = 60


def print_story_of(found: Story, *, as_json: bool) -> None:
    if as_json:
        from clew.stories.to_json import story_json

        click.echo(json.dumps(story_json(found), indent=2))
    else:
        from clew.stories.terminal import print_story

        print_story(found)


def write_html(found: Story, path: Path) -> None:
    """Write a story as one HTML file; ``-`` is standard output."""
    from clew.stories.to_html import story_html

    html = story_html(found)
    if str(path) == "-":
        click.echo(html, nl=False)
        return
    path.write_text(html, encoding="utf-8")
    size = path.stat().st_size / 1000
    click.echo(f"Wrote the story of {_shown(found.id)} to {_shown(str(path))} ({size:,.0f} kB).")


def print_candidates(found: FoundStories, *, as_json: bool) -> None:
    """Several stories: when, where, how they went, and what to ask for next."""
    from clew.stories.naming import rfc3339

    if as_json:
        from clew.stories.search import candidate_json

        told = {
            "words": list(found.words),
            "missing": list(found.missing),
            "total": found.total,
            "stories": [candidate_json(one) for one in found.candidates],
        }
        click.echo(json.dumps(told, indent=2))
        return
    click.echo(f"{_count(found)}\n")
    for one in found.candidates:
        story = one.story
        hops = f"{len(story.hops)} hop{'' if len(story.hops) == 1 else 's'}"
        went = "whole" if one.outcome == "whole" else one.outcome.upper()
        click.echo(_shown(story.id))
        click.echo(f"  {rfc3339(story.at_ms)}  {story.duration_ms:,} ms  {hops}  {went}")
        click.echo(f"  {_shown(', '.join(story.functions), 200)}")
        if one.first_error:
            click.echo(f"  {_shown(one.first_error, 200)}")
        if len(one.words) < len(found.words):
            click.echo(f"  has {', '.join(one.words)}")
    click.echo("\nShow one of them: clew story ID, with the same options.")


def _count(found: FoundStories) -> str:
    shown = len(found.candidates)
    stories = "story has" if found.total == 1 else "stories have"
    newest = f"; the newest {shown}:" if found.total > shown else ":"
    had = {word for one in found.candidates for word in one.words}
    if any(len(one.words) < len(found.words) for one in found.candidates):
        some = ", ".join(word for word in found.words if word in had)
        lacking = (
            f" ({', '.join(found.missing)} is nowhere)" if found.missing else " (none has all)"
        )
        return f"{found.total:,} {stories} {some}{lacking}{newest}"
    return f"{found.total:,} {stories} {', '.join(found.words)}{newest}"


def print_comparison(compared: Comparison, *, as_json: bool) -> None:
    """Two stories side by side, and where they part."""
    if as_json:
        from clew.stories.diff import comparison_json

        click.echo(json.dumps(comparison_json(compared), indent=2))
        return
    from rich.table import Table
    from rich.text import Text

    console = _console()
    first, second = compared.first, compared.second
    for name, story in (("first ", first), ("second", second)):
        count = len(story.breaks)
        facts = f"{story.duration_ms:,} ms, {count} break{'' if count == 1 else 's'}"
        console.print(Text.assemble((name, "bold"), f"  {_shown(story.id)}", (f"  {facts}", "dim")))
    if compared.parting:
        console.print(Text(f"\n{_shown(compared.parting, 600)}\n", "bold red"))
    else:
        said = "They do not part: the same functions, sends and outcomes."
        console.print(Text(f"\n{said}\n", "green"))
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=False)
    for name in ("first", "second", "longer by"):
        table.add_column(name, justify="right")
    for row in compared.rows:
        table.add_row(*_cells(row))
    console.print(table)
    for said in compared.slower:
        console.print(Text(_shown(said, 400), "yellow"))


def _cells(row: Row) -> tuple[Text, ...]:
    from rich.text import Text

    from clew.stories.model import Hop

    arrow = "" if isinstance(row.first or row.second, Hop) else "-> "
    name = f"{'  ' * min(row.depth, 12)}{arrow}{_shown(row.name, _MAX_NAME)}"
    style = "red" if row.difference else ""
    one, other = _took(row.first), _took(row.second)
    by = "" if one is None or other is None else f"{other - one:+,.0f} ms"
    return (
        Text(f"{'! ' if row.difference else '  '}{name}", style),
        Text(_went(row.first), style),
        Text(_went(row.second), style),
        Text(by, "dim"),
    )


def _took(node: Hop | Send | None) -> float | None:
    return getattr(node, "duration_ms", None)


def _went(node: Hop | Send | None) -> str:
    from clew.stories.model import Hop

    if node is None:
        return "-"
    if isinstance(node, Hop):
        took = "" if node.duration_ms is None else f" {node.duration_ms:,.0f} ms"
        word = node.outcome if node.outcome == "done" else node.outcome.upper()
        return f"{_shown(word, 30)}{took}"
    if node.broken is not None:
        return _shown(node.broken.kind, 30).upper()
    return str(node.status) if node.status else node.outcome


def print_as_it_comes(stories: Iterator[Story | None], id_: str) -> Story | None:
    """A story as it happens; the last of it. A terminal draws it anew, all else gets lines."""
    console = _console()
    if console.is_terminal and not console.is_dumb_terminal:
        return _draw(stories, id_, console)
    return _tell(stories, id_)


def _draw(stories: Iterator[Story | None], id_: str, console: Console) -> Story | None:
    from rich.live import Live
    from rich.text import Text

    from clew.stories.terminal import print_story

    last: Story | None = None
    waiting = Text(f"Waiting for the first line of {_shown(id_)} (Ctrl-C ends it)", "dim")
    try:
        with Live(waiting, console=console, transient=True, auto_refresh=False) as live:
            live.refresh()
            for story in stories:
                if story is not None:
                    last = story
                    live.update(_fitted(story, console), refresh=True)
    finally:
        # Also after Ctrl-C: what was drawn is gone, and had room for its last lines only.
        if last is not None:
            print_story(last, console)
    return last


def _fitted(story: Story, console: Console) -> Text:
    """The last lines of a story, as many as there is room for."""
    from rich.console import Console
    from rich.text import Text

    from clew.stories.terminal import print_story

    written = io.StringIO()
    colours: Any = console.color_system or None
    drawing = Console(
        file=written, width=console.width, highlight=False, force_terminal=True,
        color_system=colours, no_color=console.no_color,
    )  # fmt: skip
    print_story(story, drawing)
    lines = written.getvalue().rstrip("\n").split("\n")
    room = max(console.height - 2, 5)
    if len(lines) > room:
        lines = [f"(… {len(lines) - room + 1} lines above)", *lines[1 - room :]]
    return Text.from_ansi("\n".join(lines))


def _tell(stories: Iterator[Story | None], id_: str) -> Story | None:
    from clew.stories.follow import events
    from clew.stories.naming import clock

    last: Story | None = None
    told: set[Any] = set()
    for story in stories:
        if story is None:
            click.echo(f"Waiting for the first line of {_shown(id_)}.", err=True)
            continue
        last = story
        for event in events(story):
            if event.what not in told:
                told.add(event.what)
                who, said = _shown(event.function, 140), _shown(event.said, 600)
                click.echo(f"{clock(event.at_ms)}  {who}  {said}")
    return last


def print_end(story: Story) -> None:
    """How a story that was told line by line ended."""
    for gap in story.gaps:
        click.echo(f"GAP    {_shown(gap.sentence, 1000)}")
    for one in story.breaks:
        click.echo(f"BREAK  {_shown(one.sentence, 1000)}")
        if one.unknown:
            click.echo(f"       {_shown(one.unknown, 1000)}")
    if not story.breaks:
        whole = "." if story.gaps else ", and nothing that was sent is missing."
        click.echo(f"Nothing broke{whole}")


def is_drawn() -> bool:
    """Whether a story that happens is drawn, and not told line by line."""
    console = _console()
    return console.is_terminal and not console.is_dumb_terminal


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def _shown(text: str, most: int = 256) -> str:
    from clew.stories.visible import visible

    return visible(text if len(text) <= most else f"{text[:most]}…")
