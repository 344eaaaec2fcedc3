"""Work in subprocesses, whose memory is freed when they end."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from lending_club_pipeline.config.environment import sheltered
from lending_club_pipeline.contract.errors import TransformationError


def run_in_subprocess(
    module: str,
    arguments: Sequence[str] = (),
    *,
    given: str = "",
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a module as a program with this Python, and wait for its end.

    Neither the working folder nor variables of other tools reach it.

    Args:
        module: name of the module.
        arguments: arguments of the program.
        given: its standard input.
        environment: its variables beside those of the machine.

    Returns:
        Its exit code and output.
    """
    return subprocess.run(
        [sys.executable, "-P", "-m", module, *arguments],
        env=sheltered(environment or {}),
        input=given,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def call_in_subprocess(module: str, given: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Run a module that reads its arguments as JSON and writes its result as JSON.

    Args:
        module: name of the module.
        given: its arguments by name.

    Raises:
        TransformationError: the process ended early; the text holds its last line.
    """
    ended = run_in_subprocess(module, given=json.dumps(given))
    if ended.returncode:
        said = ended.stderr.strip().rpartition("\n")[2]
        raise TransformationError(f"{module} ended early (exit code {ended.returncode}): {said}")
    return json.loads(ended.stdout)
