"""Dagster's services: `lending-club ui`, `configure`, `code-server` and `health`."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

import click

from lending_club_pipeline.cli.conventions import exit_codes
from lending_club_pipeline.config.settings import load_settings

_PORT: Final = click.IntRange(1, 65535)


_WEB_SERVER: Final = click.option(
    "--web-server",
    default="http://127.0.0.1:3000",
    show_default=True,
    help="Address of Dagster's web server.",
)


@click.command(epilog=exit_codes(), context_settings={"ignore_unknown_options": True})
@click.option("--quiet", is_flag=True, help="Print nothing if all is well.")
@click.argument("program", nargs=-1, type=click.UNPROCESSED)
def configure(*, quiet: bool, program: tuple[str, ...]) -> None:
    """Write Dagster's configuration from the settings.

    The folder is DAGSTER_HOME. Other commands write it by themselves. Your own dagster.yaml stays
    as it is. If you name PROGRAM, it then replaces this process, with the password of Dagster's
    history in its environment.
    """
    from lending_club_pipeline.defs.instance import ensure_dagster_home
    from lending_club_pipeline.runs.history import password_environment

    settings = load_settings()
    home = ensure_dagster_home(settings)
    if not quiet:
        click.echo(home / "dagster.yaml")
    if program:
        environment = {**os.environ, **password_environment(settings.postgres)}
        os.execvpe(program[0], program, environment)  # noqa: S606 - a program that somebody named


@click.command(epilog=exit_codes())
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=_PORT, default=4000, show_default=True, help="Port of the code server."
)
@click.option(
    "--watch",
    "watched",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    multiple=True,
    help="Reload the definitions when a file in this folder changes; repeatable.",
)
@_WEB_SERVER
def code_server(host: str, port: int, watched: tuple[Path, ...], web_server: str) -> None:
    """Serve the definitions to Dagster's web server and daemon.

    Use it in a deployment with one code server that executes the runs. It marks runs that were
    killed with the previous server as failed, so that the queue goes on.
    """
    from lending_club_pipeline.config.environment import temporary_environment
    from lending_club_pipeline.defs.code_server import serve_code
    from lending_club_pipeline.defs.instance import ensure_dagster_home
    from lending_club_pipeline.runs.history import password_environment

    settings = load_settings()
    home = ensure_dagster_home(settings)
    password = password_environment(settings.postgres)
    with temporary_environment({**password, "DAGSTER_HOME": str(home)}):
        sys.exit(serve_code(host, port, watched, web_server))


@click.command(epilog=exit_codes())
@_WEB_SERVER
def health(web_server: str) -> None:
    """Check that Dagster's web server shows our definitions."""
    from lending_club_pipeline.defs.code_server import LOCATION
    from lending_club_pipeline.defs.web_server import expect_loaded

    expect_loaded(web_server, LOCATION)


@click.command(epilog=exit_codes())
@click.option(
    "--port",
    type=_PORT,
    default=3000,
    show_default=True,
    help="Port of the web page.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
def ui(port: int, host: str) -> None:
    """Serve Dagster's web page.

    It shows lineage, runs, checks, schedule and sensors. Ctrl+C or SIGTERM ends it with exit
    code 0.
    """
    with suppress(KeyboardInterrupt):
        from lending_club_pipeline.config.environment import temporary_environment
        from lending_club_pipeline.defs.instance import ensure_dagster_home
        from lending_club_pipeline.defs.services import expect_free, serve
        from lending_club_pipeline.runs.history import password_environment

        expect_free(host, port)
        settings = load_settings()
        home = ensure_dagster_home(settings)
        click.echo(f"Dagster on http://{host}:{port} (run history in {home})", err=True)
        with temporary_environment(password_environment(settings.postgres)):
            serve(host, port, home, "lending_club_pipeline.definitions")
    click.echo("Dagster has ended.", err=True)
