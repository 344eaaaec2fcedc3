"""Work done in a process of its own: the memory that it takes is given back when it ends."""

import subprocess
import sys
from collections.abc import Mapping, Sequence


def run_apart(
    module: str,
    arguments: Sequence[str] = (),
    *,
    given: str = "",
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a module as a program to its end, with this Python.

    Args:
        module: name of the module.
        arguments: arguments of the program.
        given: what it reads.
        environment: all variables of the process, if not those of this one.

    Returns:
        How it ended, and what it wrote.
    """
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=None if environment is None else dict(environment),
        input=given,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
