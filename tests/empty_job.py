"""A job that does nothing, for tests that only need a run."""

import dagster as dg


@dg.op
def nothing() -> None:
    pass


@dg.job
def some_job() -> None:
    nothing()
