"""The environment of libraries and child processes: the machine's variables, and ours.

A library also reads variables that were set for other programs, and a variable of dbt can empty
tables or leave out all tests. So libraries see only the variables that are listed here.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

# Programs, folders, network, certificates and locale of this machine.
_MACHINE: Final = frozenset(
    {
        *("PATH", "LD_LIBRARY_PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TZ"),
        *("TMPDIR", "TEMP", "TMP", "LANG", "LANGUAGE"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        # Where Python finds code, and whether it stores bytecode.
        *("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONNOUSERSITE"),
        *("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"),
    }
)
# Dagster's threads run in the same process as dbt; dbt does not read these variables.
_MACHINE_PREFIXES: Final = ("LC_", "DAGSTER_")
# Our own settings that begin with DAGSTER_.
_OURS: Final = ("DAGSTER_HOME", "DAGSTER_POSTGRES_", "DAGSTER_ADDITIONS", "DAGSTER_URL")


def forget_settings_of_dagster() -> None:
    """Remove Dagster's own variables from this process, before Dagster is imported.

    Only for the command line: processes that Dagster starts itself keep Dagster's variables.
    """
    for name in [*os.environ]:
        if name.startswith("DAGSTER_") and not name.startswith(_OURS):
            del os.environ[name]


def is_of_the_machine(name: str) -> bool:
    """Return whether a variable describes this machine, and not what a tool should do."""
    return name.upper() in _MACHINE or name.startswith(_MACHINE_PREFIXES)


def sheltered(environment: Mapping[str, str]) -> dict[str, str]:
    """Return all variables of a child process: the machine's, and the given ones.

    Text is UTF-8 there, whatever the locale.
    """
    machine = {name: value for name, value in os.environ.items() if is_of_the_machine(name)}
    return {**machine, "PYTHONUTF8": "1", **environment}


def current_variables() -> dict[str, str]:
    """Return all variables, to restore them later for a client that needs them."""
    return dict(os.environ)


@contextmanager
def sheltering(environment: Mapping[str, str]) -> Iterator[None]:
    """Restrict the environment to the machine's variables and the given ones while the body runs.

    The environment belongs to the process: other threads see the same meanwhile.
    """
    foreign = dict.fromkeys(name for name in os.environ if not is_of_the_machine(name))
    with temporary_environment({**foreign, **environment}):
        yield


@contextmanager
def temporary_environment(environment: Mapping[str, str | None]) -> Iterator[None]:
    """Set variables (None: remove) while the body runs; restore the old ones afterwards."""
    before = {name: os.environ.get(name) for name in environment}
    _set(environment)
    try:
        yield
    finally:
        _set(before)


def _set(environment: Mapping[str, str | None]) -> None:
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        elif os.environ.get(name) != value:
            os.environ[name] = value
