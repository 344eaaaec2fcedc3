"""`lending-club doctor`: check the requirements of a run."""

import sys

import click

from lending_club_pipeline.cli.conventions import FAILED, LOCATION, exit_codes
from lending_club_pipeline.contract.locations import Location


@click.command(epilog=exit_codes())
@click.option("--inputs", type=LOCATION, help="Folder of deliveries instead of INPUT_PATH.")
@click.option("--outputs", type=LOCATION, help="Folder for outputs instead of OUTPUT_PATH.")
def doctor(inputs: Location | None, outputs: Location | None) -> None:
    """Check the requirements of a run; show remedies."""
    from lending_club_pipeline.present.terminal import print_preflight_results
    from lending_club_pipeline.runs.doctor import preflight_checks

    problems = print_preflight_results(
        preflight_checks({"input_path": inputs, "output_path": outputs})
    )
    if problems:
        sys.exit(FAILED)
