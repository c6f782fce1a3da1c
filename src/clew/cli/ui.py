"""``clew ui``."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clew.cli.duration import DURATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.stories.web.site import Site

_PORT = 7337


@click.command()
@click.option(
    "--store",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="The lines of this store.",
)
@click.option(
    "--local", is_flag=False, flag_value="", metavar="[NAME]",
    help="What this local cloud logs, as it does [default, without --store].",
)  # fmt: skip
@click.option("--profile", metavar="NAME", help="Streams and queues of this profile's account.")
@click.option("--region", help="Streams and queues of this AWS region.")
@click.option(
    "--table", default="clew-scaling", show_default=True, metavar="NAME",
    help="The DynamoDB table of the scaling functions.",
)  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to serve at.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=_PORT, show_default=True,
    help="The port; 0 for any that is free.",
)  # fmt: skip
@click.option(
    "--name", "names", multiple=True, metavar="HOST",
    help="A name under which it may be opened; may be given several times.",
)  # fmt: skip
@click.option(
    "--token", default="", envvar="CLEW_UI_TOKEN", metavar="TOKEN",
    help="What has to be shown to open it, and to ship lines to a --store [env: CLEW_UI_TOKEN].",
)  # fmt: skip
@click.option(
    "--keep", "keep_s", type=DURATION, metavar="AGE",
    help="With --store and --token: delete what is older: 30d.",
)  # fmt: skip
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--open", "path", default="/", metavar="PATH", help="The page to open: /story/ID.")
def ui(
    *,
    store: Path | None,
    local: str | None,
    host: str,
    port: int,
    names: tuple[str, ...],
    token: str,
    keep_s: float | None,
    no_browser: bool,
    path: str,
    **aws: Any,
) -> None:
    """Show stories, live lines, the service map, streams and dead letters in a browser.

    It is served to this machine alone; at another --host, whoever opens it has to show the
    --token. With --store and --token, functions that ship logs to store+https://... may send them
    here. Ctrl-C ends it.

    \b
    Examples:
      clew ui
      clew ui --store logs.db
      clew ui --store logs.db --region eu-west-1 --profile staging
      CLEW_UI_TOKEN=... clew ui --store logs.db --host 0.0.0.0 --name logs.example.com
    """
    from clew.stories.web.serve import open_browser, serve

    if store is not None and local is not None:
        raise click.UsageError("--store is of a file, --local of a local cloud.")
    if store is None and (aws["profile"] or aws["region"]):
        raise click.UsageError("--profile and --region go with --store.")
    if keep_s is not None and (store is None or not token):
        raise click.UsageError("--keep goes with --store and --token: it deletes from the store.")
    given = {"host": host, "names": tuple(one.lower() for one in names), "token": token}
    given["table"] = aws["table"]
    page = path if path.startswith("/") else f"/{path}"

    def ready(url: str) -> None:
        shown = url + page.lstrip("/")
        click.echo(f"clew ui is at {shown}")
        if host not in ("127.0.0.1", "::1", "localhost"):
            click.echo("It shows what your functions log to whoever has the token.", err=True)
        if not no_browser and sys.stdout.isatty():
            open_browser(shown)

    of_what = _of_store(store, aws, given, keep_s) if store is not None else _of_cloud(local, given)
    with of_what as site:
        serve(site, port, ready)


@contextlib.contextmanager
def _of_store(
    path: Path, aws: dict[str, Any], given: dict[str, Any], keep_s: float | None
) -> Iterator[Site]:
    from clew.stories.web.keep import Keep
    from clew.stories.web.shelf import Shelf
    from clew.stories.web.site import Site

    session = None
    if aws["profile"] or aws["region"]:
        from clew.cli.dlq_options import session_of

        session = session_of({"local": None, **aws})
    # Whoever takes lines has the store for itself; else somebody else may write to it.
    with Shelf(path, write=bool(given["token"])) as shelf:
        site = Site(shelf, f"the store {path.name}", session=session, **given)
        keep = None if keep_s is None else Keep(site, keep_s)
        try:
            if keep is not None:
                keep.start()
            yield site
        finally:
            if keep is not None:
                keep.stop()


@contextlib.contextmanager
def _of_cloud(name: str | None, given: dict[str, Any]) -> Iterator[Site]:
    import tempfile

    from clew.localcloud import LocalCloud
    from clew.stories.web.feed import Feed
    from clew.stories.web.shelf import Shelf
    from clew.stories.web.site import Site

    cloud = LocalCloud.connect(name or None)
    with (
        tempfile.TemporaryDirectory(prefix="clew-ui-") as folder,
        Shelf(Path(folder) / "lines.db", write=True) as shelf,
    ):
        site = Site(
            shelf, f"the local cloud {cloud.name}", session=cloud.session(), cloud=cloud, **given
        )
        feed = Feed(site, cloud)
        feed.start()
        try:
            yield site
        finally:
            feed.stop()
