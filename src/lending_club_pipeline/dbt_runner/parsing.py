"""Parse a dbt project in a subprocess, whose memory is freed when it ends.

dbt keeps a hundred megabytes that a run does not need; the parsed project is on the disk.
"""

import sys
from collections.abc import Mapping, Sequence

from lending_club_pipeline.dbt_runner.subprocesses import run_in_subprocess


def parse_in_subprocess(arguments: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """Run `dbt parse`.

    Args:
        arguments: options of dbt.
        environment: its variables beside those of the machine.

    Returns:
        The error message, or None.
    """
    done = run_in_subprocess(__name__, arguments, environment=environment)
    if done.returncode == 0:
        return None
    return done.stderr.strip() or f"dbt ended with {done.returncode}"


def _main(arguments: list[str]) -> int:
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - only in the process that parses

    result = dbtRunner().invoke(["parse", *arguments])
    if result.success:
        return 0
    sys.stderr.write(str(result.exception or "no reason given"))
    return 1


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
