"""`lending-club parity`: a delivery on both engines, compared."""

import datetime as dt
import sys
import tempfile
from pathlib import Path

import click

from lending_club_pipeline.cli.conventions import DATE, FAILED, LOCATION, REFUSED, exit_codes
from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.contract.locations import Location


@click.command(epilog=exit_codes(REFUSED))
@click.option("--inputs", type=LOCATION, help="Folder of deliveries instead of INPUT_PATH.")
@click.option("--as-of", type=DATE, help="Business date of the delivery, YYYY-MM-DD.")
def parity(inputs: Location | None, as_of: dt.date | None) -> None:
    """Process a delivery on both engines and compare them.

    Compares DuckDB and Databricks: every model row by row, and every output byte by byte. Needs the
    DATABRICKS_ variables. Works in a separate schema, named DATABRICKS_SCHEMA plus _parity, and
    drops it at the end. Shows the first rows that differ, which are personal data.
    """
    from lending_club_pipeline.parity.engines import compare_engines
    from lending_club_pipeline.present.terminal import Progress, print_parity

    settings = load_settings({"input_path": inputs})
    with Progress() as progress, tempfile.TemporaryDirectory(prefix="parity-") as folder:
        found = compare_engines(settings, as_of, Path(folder), progress.show)
    print_parity(found)
    if not found.is_equal:
        sys.exit(FAILED)
