"""Find the delivery to process in the inputs, or refuse it with the reason."""

import datetime as dt
import logging
import re
from collections.abc import Collection, Iterable
from typing import Final

from lending_club_pipeline.config.clock import Today
from lending_club_pipeline.contract.errors import Place, RefusedDeliveryError
from lending_club_pipeline.contract.locations import Location
from lending_club_pipeline.contract.source_files import SOURCE_FILES
from lending_club_pipeline.ingest.deliveries.delivery_folders import (
    Delivery,
    delivery_in,
    has_files,
    look_alikes,
    names_of_files,
    refuse_if_no_folder,
)
from lending_club_pipeline.storage.inputs import Readable

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

logger = logging.getLogger(__name__)


def find_delivery(inputs: Readable, as_of_date: dt.date | None, today: Today) -> Delivery:
    """Choose the delivery to process.

    With a date it is the folder of that date, else the undated files. Without a date it is today's
    folder, else the undated files, else the newest dated folder.

    Args:
        inputs: the folder in which deliveries arrive.
        as_of_date: the requested business date, or None.
        today: the current business date; nothing newer is accepted.

    Raises:
        RefusedDeliveryError: there is no complete delivery, or its date lies in the future.
    """
    refuse_if_no_folder(inputs)
    dates = dated_folders(inputs)
    if as_of_date is not None:
        refuse_future(as_of_date, today, inputs)
        return _dated_or_undated(inputs, as_of_date)
    date = _date_to_process(inputs, dates, today)
    if date == today.date:
        _warn_of_future(dates, today, inputs)
        return _dated_or_undated(inputs, date)
    refuse_future(date, today, inputs / date.isoformat())
    return delivery_in(date, inputs / date.isoformat())


def date_to_process(inputs: Readable, today: Today) -> dt.date:
    """Return the business date of the delivery to process if the command names none.

    It is the date of `find_delivery`, even if that refuses the delivery.

    Args:
        inputs: the folder in which deliveries arrive.
        today: the current business date.

    Raises:
        RefusedDeliveryError: there is no folder of deliveries.
    """
    refuse_if_no_folder(inputs)
    return _date_to_process(inputs, dated_folders(inputs), today)


def _date_to_process(inputs: Readable, dates: Collection[dt.date], today: Today) -> dt.date:
    if (inputs / today.date.isoformat()).exists() or has_files(inputs) or not dates:
        return today.date
    return max(dates)


def find_dated(inputs: Readable, as_of_date: dt.date, today: Today) -> Delivery | None:
    """Find the delivery of a date, or None if there is none; undated files belong to today only.

    Args:
        inputs: the folder in which deliveries arrive.
        as_of_date: the business date.
        today: the current business date.

    Raises:
        RefusedDeliveryError: there is no complete delivery, or no folder of deliveries.
    """
    refuse_if_no_folder(inputs)
    if (inputs / as_of_date.isoformat()).exists():
        return delivery_in(as_of_date, inputs / as_of_date.isoformat())
    if as_of_date == today.date and has_files(inputs):
        return delivery_in(as_of_date, inputs)
    return None


def dates_with_delivery(
    inputs: Readable, first: dt.date, last: dt.date, today: Today
) -> list[dt.date]:
    """List the dates from `first` through `last` that have a folder, oldest first.

    Undated files are the delivery of `today`.

    Raises:
        RefusedDeliveryError: there is no folder of deliveries.
    """
    refuse_if_no_folder(inputs)
    known = {*dated_folders(inputs), *([today.date] if has_files(inputs) else [])}
    return sorted(date for date in known if first <= date <= last)


def no_delivery_between(inputs: Location, first: dt.date, last: dt.date) -> RefusedDeliveryError:
    """Return the error of a run of several dates without any delivery."""
    return RefusedDeliveryError(
        "delivery_missing",
        Place(inputs),
        f"there is no delivery from {first} through {last}: no folder has the name of such a date",
        "Put dated folders there, or name another folder by --inputs or INPUT_PATH",
    )


def dated_folders(inputs: Readable) -> list[dt.date]:
    """List the dates for which `inputs` has a folder, oldest first.

    A folder whose name is not a date is ignored with a warning. If it has the name of a file, a
    refusal says that it is a folder.
    """
    dates = []
    folders = (path for path in inputs.iterdir() if path.is_dir())
    for folder in sorted(folders, key=lambda it: it.name):
        try:
            dates.append(_parsed(folder.name))
        except ValueError:
            if folder.name not in names_of_files():
                logger.warning(
                    "%s is ignored: its name is not a date. Rename it to YYYY-MM-DD.", folder
                )
    return dates


def _warn_of_future(dates: Iterable[dt.date], today: Today, inputs: Readable) -> None:
    for date in dates:
        if date > today.date:
            logger.warning(
                "%s is left alone: its date lies in the future (today is %s). Correct the "
                "folder's name if that is a mistake.",
                inputs / date.isoformat(),
                today,
            )


def _parsed(name: str) -> dt.date:
    if _DATE.fullmatch(name) is None:
        raise ValueError(name)
    return dt.date.fromisoformat(name)


def _dated_or_undated(inputs: Readable, as_of_date: dt.date) -> Delivery:
    dated = inputs / as_of_date.isoformat()
    if dated.exists():
        return delivery_in(as_of_date, dated)
    if has_files(inputs):
        return delivery_in(as_of_date, inputs)
    remedy = (
        "Put Customer.csv and accounts.csv there, or name another folder by --inputs or INPUT_PATH"
    )
    seen, remedy = look_alikes(inputs, remedy, *SOURCE_FILES)
    raise RefusedDeliveryError(
        "delivery_missing",
        Place(inputs),
        f"there is no delivery of {as_of_date}: neither a folder of this name nor undated files"
        f"{seen}",
        remedy,
    )


def refuse_future(as_of_date: dt.date, today: Today, path: Location) -> None:
    """Refuse a date in the future.

    Args:
        as_of_date: the business date.
        today: the current business date.
        path: the folder of the delivery, or the folder in which deliveries arrive.

    Raises:
        RefusedDeliveryError: the date lies in the future.
    """
    if as_of_date > today.date:
        raise RefusedDeliveryError(
            "date_in_the_future",
            Place(path),
            f"the as-of date {as_of_date} lies in the future (today is {today})",
            "Correct the folder's name, or name another date by --as-of",
        )
