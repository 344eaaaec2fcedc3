"""Entry point of Dagster: loads the definitions, nothing else."""

import dagster as dg

from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.defs.project import build_definitions


@dg.definitions
def definitions() -> dg.Definitions:
    """Load the project's definitions for the engine that the environment names."""
    return build_definitions(load_settings())
