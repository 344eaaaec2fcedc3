"""`lending-club status`: the state of each business date, and open problems."""

import sys

import click

from lending_club_pipeline.cli.conventions import FAILED, LOCATION, exit_codes
from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.contract.locations import Location


@click.command(epilog=exit_codes())
@click.option("--inputs", type=LOCATION, help="Folder of deliveries instead of INPUT_PATH.")
@click.option(
    "--last",
    type=click.IntRange(min=0),
    default=14,
    show_default=True,
    help="Number of newest dates to show; older dates with a problem are shown, too.",
)
@click.option("--json", "as_json", is_flag=True, help="Print every date, as JSON.")
def status(inputs: Location | None, last: int, *, as_json: bool) -> None:
    """Show the state of each date, open problems and remedies.

    Ends with 1 if a problem stops deliveries. It reads no delivery.
    """
    from lending_club_pipeline.defs.operating.status import find_status
    from lending_club_pipeline.present.status import print_status, status_as_json

    found = find_status(load_settings({"input_path": inputs}))
    if as_json:
        click.echo(status_as_json(found))
    else:
        print_status(found, last)
    if found.is_critical:
        sys.exit(FAILED)
