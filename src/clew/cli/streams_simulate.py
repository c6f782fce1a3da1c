"""``clew streams simulate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from clew.cli.streams_trace import past_of, trace_options, working
from clew.cli.streams_where import json_option


@click.command()
@trace_options
@click.option(
    "--policy", "policies", multiple=True, metavar="NAME",
    help="Which policy, as often as there are some to compare [default: one of each kind].",
)  # fmt: skip
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write a page.")
@click.option("--png", type=click.Path(path_type=Path), metavar="FILE", help="Write a picture.")
@json_option
def simulate(
    *,
    policies: tuple[str, ...],
    html: Path | None,
    png: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Replay the load of a stream against ways to scale it: what each refuses and costs.

    TRACE is CSV with a time and, for each minute or longer step, the sums of bytes and of records
    (columns with such names; IncomingBytes will do); or a graph that the CloudWatch console saved;
    or the answer of `aws cloudwatch get-metric-data`. With --stream, CloudWatch is asked. Of a
    column with another name only the shape counts, and --peak-shards says how large it is.

    \b
    Policies:
      clew              the defaults of streams.yml
      FILE.yml[:STREAM[@ENV]]   a stream's settings in a streams.yml
      track[:75%[:1h]]  as many as hold the last minutes at 75%; fewer after a quiet hour
      predict[:75%]     the same, and what is usual at this time of the day
      level[:95%[:1d]]  as many as 95% of the minutes of the last day needed
      simple            one more, one less
      awslabs, awslabs-fast, aws-sample, epsagon, app-auto-scaling, substation
                        what others do, with the settings that they ship
      fixed:N, static   always so many shards; always what the fullest minute needs
      on-demand         AWS scales, and is paid by the gigabyte
      optimum           the least that anybody could pay who knew the future

    \b
    Examples:
      clew streams simulate last-month.csv
      clew streams simulate --stream orders --since 14d --region eu-west-1 --html orders.html
      clew streams simulate load.csv --policy track:80% --policy streams.yml:orders --policy optimum
      clew streams simulate requests.csv --peak-shards 12 --closed-rate 1 --json
    """
    from clew.scaling.simulation.report import compare
    from clew.scaling.simulation.roster import USUAL, policy

    past = past_of(given)
    chosen = [policy(one, past.trace, past.conditions) for one in dict.fromkeys(policies or USUAL)]
    with working("simulating", len(chosen)) as done:
        report = compare(
            chosen,
            past.trace,
            past.conditions,
            past.history.source,
            notes=past.history.notes,
            done=lambda one: done(one.name),
        )
    if html is not None:
        from clew.scaling.simulation.report_html import write_html

        write_html(report, html)
    if png is not None:
        from clew.scaling.simulation.report_png import write_png

        write_png(report, png)
    if as_json:
        from clew.scaling.simulation.report_json import report_json

        click.echo(json.dumps(report_json(report), indent=2))
        return
    from clew.cli.local_status import table_console
    from clew.scaling.simulation.report_text import print_report

    print_report(report, table_console())
    for path in (html, png):
        if path is not None:
            click.echo(f"Written: {path}")
