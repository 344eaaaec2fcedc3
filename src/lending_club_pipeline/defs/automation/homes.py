"""The folder in which Dagster keeps its run history."""

from importlib.resources import files
from pathlib import Path

from lending_club_pipeline.outputs.atomic_files import explaining, replacing


def prepare_home(home: Path) -> Path:
    """Make the folder of Dagster's run history, with its configuration, if it is missing.

    Raises:
        OutputError: it cannot be made.
    """
    home = home.absolute()
    if not (home / "dagster.yaml").exists():
        with explaining(home, "DAGSTER_HOME"):
            # The history shows some balances: its owner alone may read it.
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with replacing(home / "dagster.yaml", "DAGSTER_HOME") as work:
            work.write_text(files(__package__).joinpath("dagster.yaml").read_text())
    return home
