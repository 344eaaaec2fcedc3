"""Find the delivery to process in the inputs, or refuse it with the reason."""

import datetime as dt
import logging
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from lending_club_pipeline.config.clock import Today
from lending_club_pipeline.contract.errors import Place, RefusedDeliveryError
from lending_club_pipeline.contract.locations import Location
from lending_club_pipeline.contract.source_files import CONTROL, SOURCE_FILES, SourceFile
from lending_club_pipeline.ingest.deliveries.look_alikes import find_look_alike, misspelt
from lending_club_pipeline.storage.inputs import Readable

Compression = Literal["none", "gz", "zst"]

_SUFFIXES: Final[dict[Compression, str]] = {"none": "", "gz": ".gz", "zst": ".zst"}
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DeliveredFile:
    """One file of a delivery in its folder."""

    source: SourceFile
    path: Readable
    compression: Compression


@dataclass(frozen=True)
class Delivery:
    """A pair of files, each a full extract as of one business date.

    Attributes:
        as_of_date: the business date.
        folder: where the files are.
        files: the pair.
        control: the file of control totals beside them, or None.
    """

    as_of_date: dt.date
    folder: Readable
    files: tuple[DeliveredFile, ...]
    control: DeliveredFile | None = None

    @property
    def all_files(self) -> tuple[DeliveredFile, ...]:
        """The pair, and the control file if there is one."""
        return self.files if self.control is None else (*self.files, self.control)


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
    _refuse_if_no_folder(inputs)
    dates = dated_folders(inputs)
    if as_of_date is not None:
        refuse_future(as_of_date, today, inputs)
        return _dated_or_undated(inputs, as_of_date)
    date = _date_to_process(inputs, dates, today)
    if date == today.date:
        _warn_of_future(dates, today, inputs)
        return _dated_or_undated(inputs, date)
    refuse_future(date, today, inputs / date.isoformat())
    return _delivery(date, inputs / date.isoformat())


def date_to_process(inputs: Readable, today: Today) -> dt.date:
    """Return the business date of the delivery to process if the command names none.

    It is the date of `find_delivery`, even if that refuses the delivery.

    Args:
        inputs: the folder in which deliveries arrive.
        today: the current business date.

    Raises:
        RefusedDeliveryError: there is no folder of deliveries.
    """
    _refuse_if_no_folder(inputs)
    return _date_to_process(inputs, dated_folders(inputs), today)


def _date_to_process(inputs: Readable, dates: Collection[dt.date], today: Today) -> dt.date:
    if (inputs / today.date.isoformat()).exists() or _has_undated_files(inputs) or not dates:
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
    _refuse_if_no_folder(inputs)
    if (inputs / as_of_date.isoformat()).exists():
        return _delivery(as_of_date, inputs / as_of_date.isoformat())
    if as_of_date == today.date and _has_undated_files(inputs):
        return _delivery(as_of_date, inputs)
    return None


def dates_with_delivery(
    inputs: Readable, first: dt.date, last: dt.date, today: Today
) -> list[dt.date]:
    """List the dates from `first` through `last` that have a folder, oldest first.

    Undated files are the delivery of `today`.

    Raises:
        RefusedDeliveryError: there is no folder of deliveries.
    """
    _refuse_if_no_folder(inputs)
    known = {*dated_folders(inputs), *([today.date] if _has_undated_files(inputs) else [])}
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
            if folder.name not in _names_of_files():
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
        return _delivery(as_of_date, dated)
    if _has_undated_files(inputs):
        return _delivery(as_of_date, inputs)
    remedy = (
        "Put Customer.csv and accounts.csv there, or name another folder by --inputs or INPUT_PATH"
    )
    seen, remedy = _seen(inputs, remedy, *SOURCE_FILES)
    raise RefusedDeliveryError(
        "delivery_missing",
        Place(inputs),
        f"there is no delivery of {as_of_date}: neither a folder of this name nor undated files"
        f"{seen}",
        remedy,
    )


def _seen(folder: Readable, remedy: str, *sources: SourceFile) -> tuple[str, str]:
    """Return a description of similar files, to add to a problem, and a remedy."""
    found = find_look_alike(folder, *sources)
    return ("", remedy) if found is None else (f", but {found[0]}", found[1])


def _has_undated_files(inputs: Readable) -> bool:
    return any(True for source in SOURCE_FILES for _ in _forms(inputs, source))


def _delivery(as_of_date: dt.date, folder: Readable) -> Delivery:
    _refuse_if_no_folder(folder)
    files = tuple(_only_form(folder, it) for it in SOURCE_FILES)
    has_control = any(True for _ in _forms(folder, CONTROL))
    control = _only_form(folder, CONTROL) if has_control else None
    if control is None:
        _refuse_misspelt_control(folder)
    return Delivery(as_of_date, folder, files, control)


def _refuse_misspelt_control(folder: Readable) -> None:
    """Refuse a misspelt control file, which would otherwise be ignored silently."""
    for name, remedy in misspelt([path.name for path in folder.iterdir()], CONTROL):
        raise RefusedDeliveryError(
            "file_misspelt",
            Place(folder / name),
            f"this name is not {CONTROL.name}, so that nothing would be compared with its totals",
            remedy,
        )


def _forms(folder: Readable, source: SourceFile) -> Iterator[DeliveredFile]:
    for compression, suffix in _SUFFIXES.items():
        path = folder / f"{source.name}{suffix}"
        if path.exists() or path.is_symlink():
            yield DeliveredFile(source, path, compression)


def _names_of_files() -> set[str]:
    sources = (*SOURCE_FILES, CONTROL)
    return {f"{source.name}{suffix}" for source in sources for suffix in _SUFFIXES.values()}


def _only_form(folder: Readable, source: SourceFile) -> DeliveredFile:
    forms = list(_forms(folder, source))
    if not forms:
        remedy = f"Put {source.name} (or .csv.gz, .csv.zst) there and run again"
        seen, remedy = _seen(folder, remedy, source)
        raise RefusedDeliveryError(
            "file_missing",
            Place(folder / source.name),
            f"the delivery has no {source.name}{seen}",
            remedy,
        )
    if len(forms) > 1:
        names = " and ".join(form.path.name for form in forms)
        raise RefusedDeliveryError(
            "file_in_several_forms",
            Place(folder),
            f"it holds {names}, and it is not clear which one counts",
            "Leave only one of them",
        )
    return forms[0]


def _refuse_if_no_folder(folder: Readable) -> None:
    try:
        exists, is_folder = folder.exists(), folder.is_dir()
        if is_folder:
            next(folder.iterdir(), None)
            # Without the right to search the folder, only its names can be listed.
            (folder / SOURCE_FILES[0].name).is_symlink()
    except PermissionError:
        raise RefusedDeliveryError(
            "folder_unreadable",
            Place(folder),
            "this folder may not be read",
            "Give the user who runs the pipeline the right to list and search it",
        ) from None
    if not exists:
        raise RefusedDeliveryError(
            "folder_missing",
            Place(folder),
            "this folder does not exist",
            "Create it and put the delivery there, or name another one by --inputs or INPUT_PATH",
        )
    if not is_folder:
        raise RefusedDeliveryError(
            "not_a_folder",
            Place(folder),
            "this is a file, not a folder",
            "Name the folder that holds Customer.csv and accounts.csv",
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
