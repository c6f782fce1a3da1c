"""``clew streams recommend``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from clew.cli.duration import DURATION
from clew.cli.streams_trace import PART, past_of, recent, trace_options, working
from clew.cli.streams_where import json_option


@click.command()
@trace_options
@click.option(
    "--throttle", type=PART, default=0.0001, metavar="PART",
    help="The goal: at most this part of the records refused, as 0.01% [default: 0.01%].",
)  # fmt: skip
@click.option(
    "--catch-up", type=DURATION, default="60s", show_default=True, metavar="TIME",
    help="The goal: never longer than this until all that was refused is in.",
)  # fmt: skip
@click.option(
    "--today", metavar="POLICY",
    help="What runs today, to compare with: a number of shards, on-demand, or a policy of"
    " `simulate` [default with --stream: what the stream is].",
)  # fmt: skip
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write a page.")
@json_option
def recommend(
    *,
    throttle: float,
    catch_up: float,
    today: str | None,
    html: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Say which mode and settings would have met a goal at the lowest price, and how sure that is.

    Fixed numbers of shards, settings of streams.yml that follow the load, and on-demand mode are
    tried on the first half of the history and on halves drawn from its days; the cheapest that
    meets the goal is judged on the second half. TRACE and --stream are those of `simulate`. What
    comes out is to be pasted into a streams.yml.

    \b
    Examples:
      clew streams recommend --stream orders --throttle 0.01% --catch-up 60s
      clew streams recommend last-month.csv --today 12 --html orders.html
      clew streams recommend load.csv --closed-rate 1 --max 40 --json | jq -r .streams_yml
    """
    from clew.scaling.simulation.recommend import recommend as choose
    from clew.scaling.simulation.recommend_goal import Objective
    from clew.scaling.simulation.recommend_settings import today_of
    from clew.scaling.simulation.recommend_text import advice, advice_json, print_advice

    past, cut = recent(past_of(given))
    now = None
    if today is not None:
        now = today_of(today, past.trace, past.conditions)
    elif past.today is not None:
        said = str(past.today.shards) if past.today.mode == "provisioned" else "on-demand"
        now = today_of(said, past.trace, past.conditions)
    with working("choosing") as done:
        found = choose(
            past.trace,
            past.conditions,
            Objective(throttle, catch_up),
            seed=given["seed"],
            done=done,
        )
        told = advice(found, past.history.with_notes(cut), now)
    if html is not None:
        from clew.scaling.simulation.report_html import write_html

        write_html(told.report, html, told.opening)
    if as_json:
        click.echo(json.dumps(advice_json(told), indent=2))
        return
    from clew.cli.local_status import table_console

    print_advice(told, table_console())
    if html is not None:
        click.echo(f"Written: {html}")
