"""A job that does nothing, for tests of what is around a run."""

import dagster as dg


@dg.op
def nothing() -> None:
    pass


@dg.job
def some_job() -> None:
    nothing()
