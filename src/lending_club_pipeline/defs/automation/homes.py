"""The folder in which Dagster keeps its run history."""

from importlib.resources import files
from pathlib import Path

from lending_club_pipeline.outputs.atomic_files import replacing


def prepare_home(home: Path) -> Path:
    """Make the folder of Dagster's run history, with its configuration, if it is missing.

    Raises:
        OutputError: it cannot be made.
    """
    home = home.absolute()
    if not (home / "dagster.yaml").exists():
        with replacing(home / "dagster.yaml", "DAGSTER_HOME") as work:
            work.write_text(files(__package__).joinpath("dagster.yaml").read_text())
    return home
