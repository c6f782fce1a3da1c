"""``clew streams template``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--force", is_flag=True, help="Write over what is there.")
def template(*, folder: Path, force: bool) -> None:
    """Write the SAM template of the two scaling functions to FOLDER, ready to deploy.

    One function answers alarms, the other looks after every stream on a schedule. They are deployed
    once for an account and region, whatever the streams; clew streams apply does the rest.

    \b
    Examples:
      clew streams template scaling/
      cd scaling && sam build && sam deploy --stack-name clew-scaling \\
          --capabilities CAPABILITY_IAM --resolve-s3
      clew local up scaling/template.yaml            # or in a local cloud
    """
    import shutil

    import clew.scaling.managed
    from clew.errors import ClewError

    source = Path(clew.scaling.managed.__file__).parent
    files = ("template.yaml", "function")
    there = [folder / name for name in files if (folder / name).exists()]
    if there and not force:
        raise ClewError(f"{there[0]} is there already; write over it with --force.")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / "template.yaml", folder / "template.yaml")
    shutil.copytree(
        source / "function",
        folder / "function",
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    click.echo(
        f"Wrote {folder / 'template.yaml'}. Deploy it:\n"
        f"  cd {folder} && sam build && sam deploy --stack-name clew-scaling"
        " --capabilities CAPABILITY_IAM --resolve-s3"
    )
