"""Check the requirements of a run; each problem comes with its remedy."""

import datetime as dt
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from lending_club_pipeline.config.settings import DataPlatformConfig, load_settings
from lending_club_pipeline.contract.errors import ConfigurationError, PipelineError
from lending_club_pipeline.contract.preflight_results import PreflightResult
from lending_club_pipeline.contract.seeds import project_dir
from lending_club_pipeline.ingest.csv.byte_counts import count_bytes
from lending_club_pipeline.ingest.deliveries.control_totals import read_control_totals
from lending_club_pipeline.ingest.deliveries.delivery_folders import DeliveredFile
from lending_club_pipeline.ingest.deliveries.discovery import find_delivery
from lending_club_pipeline.ingest.deliveries.preflight import check_file
from lending_club_pipeline.runs.history import check_history
from lending_club_pipeline.runs.memory import check_memory
from lending_club_pipeline.storage.inputs import inputs_of
from lending_club_pipeline.storage.outputs import outputs_of
from lending_club_pipeline.warehouse import choose_warehouse

_PACKAGES: Final = ("dagster", "dagster-dbt", "dbt-core", "dbt-duckdb", "duckdb")
# Make compares only the age of the lock file with the age of the last setup.
_REMEDY: Final = (
    "not installed; in a checkout `touch uv.lock && make run` installs what is missing, elsewhere "
    "install lending-club-pipeline again"
)
_PYTHON: Final = ((3, 11), (3, 14))
# An object that is written and removed.
_PROBE: Final = "lending-club-doctor"
_LEAST_FREE_BYTES: Final = 2**30


def preflight_checks(overrides: Mapping[str, Any]) -> Iterator[PreflightResult]:
    """Check everything that a run needs, cheapest first.

    Args:
        overrides: settings by field name that override the environment.
    """
    yield _python()
    yield from _packages()
    yield _dbt_project()
    yield _temporary_files()
    try:
        settings = load_settings(overrides)
    except ConfigurationError as error:
        yield PreflightResult("settings", "problem", str(error))
        return
    yield PreflightResult("settings", "ok", _described(settings))
    yield _outputs(settings)
    for name, folder in (
        ("DAGSTER_HOME", settings.dagster.home),
        ("landing", settings.landing),
        ("DUCKDB_PATH", settings.duckdb.path.absolute().parent),
    ):
        yield _writable(name, folder.absolute())
    yield _disk(settings.landing)
    yield check_history(settings)
    yield check_memory(settings.engine.memory_limit)
    yield from choose_warehouse(settings).preflight()
    yield from _delivery(settings)


def _python() -> PreflightResult:
    found = ".".join(map(str, sys.version_info[:3]))
    if _PYTHON[0] <= sys.version_info[:2] < _PYTHON[1]:
        return PreflightResult("Python", "ok", found)
    return PreflightResult("Python", "problem", f"{found}; install Python 3.11, 3.12 or 3.13")


def _packages() -> Iterator[PreflightResult]:
    for name in _PACKAGES:
        try:
            yield PreflightResult(name, "ok", version(name))
        except PackageNotFoundError:
            yield PreflightResult(name, "problem", _REMEDY)


def _dbt_project() -> PreflightResult:
    """Check that this user may read the whole dbt project."""
    project = project_dir()
    unreadable = [path for path in (project, *project.rglob("*")) if not os.access(path, os.R_OK)]
    if unreadable or not (project / "dbt_project.yml").is_file():
        wrong = unreadable[0] if unreadable else project / "dbt_project.yml"
        return PreflightResult(
            "dbt project",
            "problem",
            f"{wrong} cannot be read; give the user who runs the pipeline the right to read the "
            "installed package, or install it again",
        )
    return PreflightResult("dbt project", "ok", str(project))


def _temporary_files() -> PreflightResult:
    try:
        with tempfile.TemporaryFile():
            return PreflightResult("temporary files", "ok", tempfile.gettempdir())
    except OSError as error:
        return PreflightResult(
            "temporary files",
            "problem",
            f"they cannot be written ({error.strerror}); name a folder that can be, by TMPDIR",
        )


def _described(settings: DataPlatformConfig) -> str:
    return "\n".join(f"{name}={value}" for name, value in settings.described().items())


def _outputs(settings: DataPlatformConfig) -> PreflightResult:
    place = settings.outputs.path
    if isinstance(place, Path):
        return _writable("OUTPUT_PATH", place.absolute())
    try:
        outputs = outputs_of(settings)
        with outputs.publication() as publication:
            publication.work_for(_PROBE)
        outputs.remove(_PROBE)
    except PipelineError as error:
        return PreflightResult("OUTPUT_PATH", "problem", str(error))
    return PreflightResult("OUTPUT_PATH", "ok", f"{place}: an object was written and removed")


def _writable(name: str, folder: Path) -> PreflightResult:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir():
        return PreflightResult(
            name, "problem", f"{existing} is a file; name a folder, or move it away"
        )
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        remedy = "give the user who runs the pipeline the right to write there"
        reason = os.strerror(error.errno or 0)
        return PreflightResult(
            name, "problem", f"{existing} cannot be written ({reason}); {remedy}"
        )
    return PreflightResult(name, "ok", f"{folder}" + ("" if folder.exists() else " (will be made)"))


def _disk(folder: Path) -> PreflightResult:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    shown = f"{free / 2**30:,.1f} GiB free for {folder}"
    if free < _LEAST_FREE_BYTES:
        return PreflightResult("disk space", "warning", f"{shown}; free some: 1 GiB is little")
    return PreflightResult("disk space", "ok", shown)


def _delivery(settings: DataPlatformConfig) -> Iterator[PreflightResult]:
    try:
        found = find_delivery(inputs_of(settings), None, settings.today())
    except PipelineError as error:
        yield PreflightResult("delivery", "problem", str(error))
        return
    yield PreflightResult("delivery", "ok", f"{found.as_of_date} in {found.folder.absolute()}")
    for file in found.files:
        with tempfile.TemporaryDirectory(prefix="doctor-") as folder:
            try:
                counts, plain = count_bytes(file, Path(folder) / file.source.name)
                header = check_file(file, counts, plain)
            except PipelineError as error:
                yield PreflightResult(file.path.name, "problem", str(error))
                continue
        extra = f", extra columns: {len(header.extra_columns)}" if header.extra_columns else ""
        changed = dt.datetime.fromtimestamp(file.path.stat().st_mtime, dt.UTC)
        yield PreflightResult(
            file.path.name,
            "ok",
            f"{counts.lines_by(header.line_end).lines:,} lines, {counts.stored_bytes:,} bytes, "
            f"changed {changed:%Y-%m-%d %H:%M} UTC{extra}",
        )
    if found.control is not None:
        yield _control(found.control, found.as_of_date)


def _control(file: DeliveredFile, as_of_date: dt.date) -> PreflightResult:
    with tempfile.TemporaryDirectory(prefix="doctor-") as folder:
        try:
            counts, plain = count_bytes(file, Path(folder) / file.source.name)
            control = read_control_totals(file, counts, plain, as_of_date)
        except PipelineError as error:
            return PreflightResult(file.path.name, "problem", str(error))
    said = ", ".join(f"{it.records:,} records in {it.source_file}" for it in control.totals)
    return PreflightResult(file.path.name, "ok", f"{said}; a run compares them")
