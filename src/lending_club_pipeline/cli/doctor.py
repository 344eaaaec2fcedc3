"""`lending-club doctor`: what a run needs, and what to do where it is missing."""

import sys
from pathlib import Path

import click

from lending_club_pipeline.cli.conventions import FAILED, FOLDER, exit_codes


@click.command(epilog=exit_codes())
@click.option("--inputs", type=FOLDER, help="Folder of deliveries instead of INPUT_PATH.")
@click.option("--outputs", type=FOLDER, help="Folder for outputs instead of OUTPUT_PATH.")
def doctor(inputs: Path | None, outputs: Path | None) -> None:
    """Check what a run needs, and say for each what to do."""
    from lending_club_pipeline.present.terminal import print_findings
    from lending_club_pipeline.runs.doctor import examine

    problems = print_findings(examine({"input_path": inputs, "output_path": outputs}))
    if problems:
        sys.exit(FAILED)
