"""Deliveries in the inputs and their states: the two arguments of the planner."""

import datetime as dt
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from lending_club_pipeline.config.clock import Today
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import (
    ConfigurationError,
    Place,
    RefusedDeliveryError,
)
from lending_club_pipeline.contract.locations import ObjectUrl
from lending_club_pipeline.contract.seeds import project_dir
from lending_club_pipeline.dbt_runner.project import fingerprint
from lending_club_pipeline.ingest.deliveries.delivered_files import (
    are_the_same,
    identify,
    text_bytes,
)
from lending_club_pipeline.ingest.deliveries.delivery_folders import Delivery
from lending_club_pipeline.ingest.deliveries.discovery import (
    find_dated,
    find_delivery,
    refuse_future,
)
from lending_club_pipeline.runs.day_states import DayState
from lending_club_pipeline.runs.plan import FoundDelivery, Policy
from lending_club_pipeline.storage.inputs import Readable, inputs_of

# Number of deliveries of another folder that are compared with known ones, newest first.
_COMPARED: Final = 3
# Prefix that marks a source as a folder, not as the name of a sender.
_FOLDER: Final = "folder "


@dataclass
class Survey:
    """The deliveries in the inputs, for some dates.

    Attributes:
        found: by date, for the plan.
        deliveries: by date, the complete ones.
        refusals: by date, the errors of the refused ones.
        identities: by date, a text that changes with the files.
    """

    found: dict[dt.date, FoundDelivery] = field(default_factory=dict)
    deliveries: dict[dt.date, Delivery] = field(default_factory=dict)
    refusals: dict[dt.date, RefusedDeliveryError] = field(default_factory=dict)
    identities: dict[dt.date, str] = field(default_factory=dict)


def survey(
    settings: DataPlatformConfig,
    dates: Iterable[dt.date],
    days: Mapping[dt.date, DayState],
    today: Today,
    *,
    takes_undated: bool = False,
) -> Survey:
    """Look at the deliveries of some dates; a date without a delivery is omitted.

    Args:
        settings: the project's settings.
        dates: business dates.
        days: states by date.
        today: the current business date; nothing newer is accepted.
        takes_undated: undated files are the delivery of each of these dates that has no folder;
            otherwise they are the delivery of today only.
    """
    seen = Survey()
    inputs = inputs_of(settings)
    for date in dates:
        try:
            _refuse_before_first(settings, date)
            delivery = _find(inputs, date, today, takes_undated=takes_undated)
            if delivery is None:
                continue
            state = days.get(date, DayState(date))
            seen.found[date] = FoundDelivery(
                date, text_bytes(delivery), are_the_same(delivery, state.files)
            )
            seen.identities[date] = identify(delivery)
            seen.deliveries[date] = delivery
        except RefusedDeliveryError as error:
            seen.refusals[date] = error
            seen.found[date] = FoundDelivery(date, refused=str(error))
        except OSError:
            # The file is gone or unreadable: the run reports the problem.
            seen.found[date] = FoundDelivery(date)
    return seen


def _refuse_before_first(settings: DataPlatformConfig, date: dt.date) -> None:
    if date < settings.days.first_as_of_date:
        raise RefusedDeliveryError(
            "date_before_the_first",
            Place(settings.deliveries.input_path / date.isoformat()),
            f"the as-of date {date} lies before FIRST_AS_OF_DATE={settings.days.first_as_of_date}",
            "Set FIRST_AS_OF_DATE to an earlier date to process such deliveries",
        )


def _find(inputs: Readable, date: dt.date, today: Today, *, takes_undated: bool) -> Delivery | None:
    refuse_future(date, today, inputs / date.isoformat())
    if takes_undated:
        return find_delivery(inputs, date, today)
    return find_dated(inputs, date, today)


def policy_of(settings: DataPlatformConfig) -> Policy:
    """Return the rules from the settings and the dbt project."""
    return Policy(
        transformation=fingerprint(project_dir(), {}),
        days_per_run=settings.days.backfill_days_per_run,
        memory_bytes=settings.engine.memory_bytes
        if settings.engine.database_type == "duckdb"
        else None,
    )


def source_of(settings: DataPlatformConfig) -> str:
    """Return the source of deliveries: the sender's name, else the folder relative to the database.

    So a project folder may be moved as a whole. Machines that share a warehouse have different
    folders: there, only the name identifies a sender.
    """
    if settings.deliveries.source or settings.engine.database_type != "duckdb":
        return settings.deliveries.source
    inputs = settings.deliveries.input_path
    if isinstance(inputs, ObjectUrl):
        return f"{_FOLDER}{inputs}"
    return f"{_FOLDER}{os.path.relpath(inputs.absolute(), _beside(settings))}"


def _beside(settings: DataPlatformConfig) -> Path:
    return settings.duckdb.path.absolute().parent


def refuse_other_source(
    settings: DataPlatformConfig, days: Mapping[dt.date, DayState], today: Today
) -> None:
    """Refuse to mix the deliveries of two senders in one database.

    A moved folder is recognized, because it still holds a known delivery. Once a name is set, only
    the name counts.

    Args:
        settings: the project's settings.
        days: states by date.
        today: the current business date.

    Raises:
        ConfigurationError: the database belongs to other inputs.
    """
    landed = [state for state in days.values() if state.landed_at and state.source]
    if not landed:
        return
    known = max(landed, key=lambda state: str(state.landed_at)).source
    was_a_folder = known.startswith(_FOLDER)
    if known == source_of(settings) or (was_a_folder and settings.deliveries.source):
        return
    if was_a_folder and _holds_a_known_delivery(settings, landed, today):
        return
    if was_a_folder:
        owner, remedy = f"the deliveries of {_named(settings, known)}", "DELIVERY_SOURCE"
    else:
        owner = remedy = f"DELIVERY_SOURCE={known}"
    raise ConfigurationError(
        f"INPUT_PATH={settings.deliveries.input_path}: this database belongs to {owner}, and none "
        "of these deliveries is among them. Give other deliveries a database of their own by "
        "DUCKDB_PATH (with Databricks DATABRICKS_SCHEMA); if they are of the same sender, say so "
        f"by setting {remedy}{' to its name' if was_a_folder else ''}."
    )


def _named(settings: DataPlatformConfig, known: str) -> Path | str:
    """Return the folder of a source, for people."""
    name = known.removeprefix(_FOLDER)
    if "://" in name:
        return name
    folder = Path(os.path.normpath(_beside(settings) / name))
    # If the database was copied to another folder depth, the relative path leads nowhere.
    return folder if folder.is_dir() else "another folder"


def _holds_a_known_delivery(
    settings: DataPlatformConfig, landed: list[DayState], today: Today
) -> bool:
    inputs = inputs_of(settings)
    for state in sorted(landed, key=lambda it: it.as_of_date, reverse=True)[:_COMPARED]:
        try:
            delivery = find_delivery(
                inputs,
                state.as_of_date,
                replace(today, date=max(today.date, state.as_of_date)),
            )
            if are_the_same(delivery, state.files):
                return True
        except (RefusedDeliveryError, OSError):
            continue
    return False
