"""``clew sign``: the headers of one request that is to be logged at DEBUG."""

from __future__ import annotations

import json

import click


@click.command()
@click.argument("id", required=True)
@click.option(
    "--expires",
    default="10m",
    show_default=True,
    metavar="TIME",
    help="How long the headers count: 90s, 10m, 2h, up to 7d.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def sign(*, id: str, expires: str, as_json: bool) -> None:  # noqa: A002
    """Print headers that log one request at DEBUG, through every function that it touches.

    They count for the request ID, a name of your choice, and only where the functions have the
    same CLEW_SECRET as this command has in its environment.

    \b
    Examples:
      clew sign why-is-it-slow
      curl -H @<(clew sign why-is-it-slow --expires 1h) https://api.example.com/posts
      clew story why-is-it-slow
    """
    from clew.trust import sign_debug

    headers = sign_debug(id, expires=expires)
    if as_json:
        click.echo(json.dumps(headers))
        return
    for name, value in headers.items():
        click.echo(f"{name}: {value}")
