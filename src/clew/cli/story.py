"""``clew story``: one request, from its log lines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clew.cli.story_options import is_billed, source_of, source_options

if TYPE_CHECKING:
    from clew.stories import Story

_BROKE = 2
_POLL_S = {True: 0.3, False: 2.0}  # of a local cloud and files; of AWS, which counts calls


@click.command()
@click.argument("id", required=False)
@click.option("--search", "words", metavar="WORDS", help="Find stories whose lines have all WORDS.")
@click.option("--diff", nargs=2, metavar="ID1 ID2", help="Compare a good and a bad request.")
@click.option("--follow", "-f", is_flag=True, help="Show it as it happens, until it is whole.")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write it as one HTML file, for a ticket.",
)  # fmt: skip
@source_options
@click.option(
    "--wait", "wait_s", type=click.IntRange(0, 3600), metavar="SECONDS",
    help="Wait so long for lines that come late [default: 3, if it is new and misses something].",
)  # fmt: skip
@click.option(
    "--limit", type=click.IntRange(1, 200), default=20, show_default=True,
    help="Stories that a search lists.",
)  # fmt: skip
@click.option("--check", is_flag=True, help="Exit with 2 if the story broke somewhere.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def story(
    *,
    id: str | None,  # noqa: A002
    words: str | None,
    diff: tuple[str, str] | None,
    follow: bool,
    html: Path | None,
    wait_s: int | None,
    limit: int,
    check: bool,
    as_json: bool,
    **where: Any,
) -> int:
    """Show what the request ID did: every function it touched, what each logged and sent.

    ID is the request's x-correlation-id, or the first 8 characters of it or more. Where the
    story broke is said in its place and again at the end. Who has no id searches by words, such
    as a user's number and what went wrong; they may stand in different lines of a story.

    Its lines are read from a local cloud; or from CloudWatch Logs of an AWS account (--profile,
    --region or --log-group), also through Logs Insights (--insights); from OpenSearch; from a
    file that `clew store import` made (--store); or from files, standard input or S3 (--from).

    \b
    Exit status: 0 if there is such a request; 1 if not; with --check, 2 if its story broke
    (with --diff, if the two part).

    \b
    Examples:
      clew story 4f0c1f0e-0d7a-4f3e-9d53-0a3a5b1f6f5e
      clew story 4f0c1f0e --follow
      clew story --search "user 42 checkout failed" --since 2h
      clew story --diff 4f0c1f0e 8c7ad3a2
      clew story 4f0c1f0e --html story.html
      clew story 4f0c1f0e --json | jq -r '.breaks[].sentence'
      clew story 4f0c1f0e --check && echo whole
      clew story 4f0c1f0e --store logs.db
      clew story 4f0c1f0e --profile staging --region eu-west-1 --log-group /aws/lambda/shop-
      clew story 4f0c1f0e --insights --region eu-west-1 --since 7d
      clew story 4f0c1f0e --opensearch https://search.example.com --index 'logs-*'
      clew story 4f0c1f0e --from lines.ndjson.gz --from s3://my-logs/2026/01/
    """
    if [id is not None, words is not None, diff is not None].count(True) != 1:
        raise click.UsageError("Name the ID of a request, or say --search WORDS or --diff ID1 ID2.")
    if follow and (id is None or as_json or html is not None):
        raise click.UsageError("--follow shows one request, ID, and goes with neither --json nor "
                               "--html.")  # fmt: skip
    if html is not None and (diff is not None or as_json):
        raise click.UsageError("--html writes one story, and goes with neither --diff nor --json.")
    if is_billed(where) and (follow or wait_s):
        raise click.UsageError(
            "Logs Insights bills every look; --follow and --wait without --insights."
        )
    with source_of(where) as (source, since):
        if is_billed(where):
            wait_s = 0
        if diff is not None:
            return _diff(source, diff, since, wait_s, check=check, as_json=as_json)
        if words is not None:
            return _search(source, words, since, limit, html, check=check, as_json=as_json)
        if follow:
            return _follow(source, str(id), since, wait_s, where, check=check)
        from clew.stories import find_story

        found = find_story(source, str(id), since=since, wait_s=wait_s)
    return _told(found, html, check=check, as_json=as_json)


def _told(found: Story, html: Path | None, *, check: bool, as_json: bool) -> int:
    from clew.cli.story_shown import print_story_of, write_html

    if html is not None:
        write_html(found, html)
    else:
        print_story_of(found, as_json=as_json)
    return _BROKE if check and found.breaks else 0


def _search(
    source: Any, words: str, since: Any, limit: int, html: Path | None, *, check: bool,
    as_json: bool,
) -> int:  # fmt: skip
    from clew.cli.story_shown import print_candidates
    from clew.stories.search import search_stories

    found = search_stories(source, words, since=since, limit=limit)
    # A program gets the same shape, however many there are.
    only = found.candidates[0]
    if found.total == 1 and not as_json and len(only.words) == len(found.words):
        from clew.stories import find_story

        whole = find_story(source, only.story.id, since=since, wait_s=0)
        return _told(whole, html, check=check, as_json=False)
    if html is not None:
        raise click.UsageError(f"{found.total} stories match; --html writes one: name its ID.")
    print_candidates(found, as_json=as_json)
    return _BROKE if check and any(one.story.breaks for one in found.candidates) else 0


def _diff(
    source: Any, ids: tuple[str, str], since: Any, wait_s: int | None, *, check: bool,
    as_json: bool,
) -> int:  # fmt: skip
    from clew.cli.story_shown import print_comparison
    from clew.stories import find_story
    from clew.stories.diff import compare

    first, second = (find_story(source, one, since=since, wait_s=wait_s) for one in ids)
    compared = compare(first, second)
    print_comparison(compared, as_json=as_json)
    return _BROKE if check and compared.parting else 0


def _follow(
    source: Any, id_: str, since: Any, wait_s: int | None, where: dict[str, Any], *, check: bool
) -> int:
    from clew.cli.story_shown import is_drawn, print_as_it_comes, print_end
    from clew.stories.find import StoryError
    from clew.stories.follow import follow

    of_aws = any(where[name] is not None for name in ("profile", "region", "log_groups"))
    poll_s = _POLL_S[not of_aws and where["opensearch"] is None]
    found = print_as_it_comes(follow(source, id_, since=since, poll_s=poll_s, for_s=wait_s), id_)
    if found is None:
        raise StoryError(f"Nothing of that request was logged within {wait_s} seconds.")
    if not is_drawn():
        print_end(found)
    return _BROKE if check and found.breaks else 0
