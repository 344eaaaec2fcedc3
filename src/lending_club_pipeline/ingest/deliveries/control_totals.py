"""Control totals: read the sender's totals, and compare the files with them.

`control.csv` is optional. It has one row for each of the two files: `File`, `Records`,
`SumOfBalances` (accounts only) and `BusinessDate`; see docs/data-model.md.
"""

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Context, Decimal
from pathlib import Path
from typing import Any, Final

from lending_club_pipeline.contract.errors import Place, RefusedDeliveryError
from lending_club_pipeline.contract.source_files import ACCOUNTS, SOURCE_FILES
from lending_club_pipeline.ingest.csv.byte_counts import ByteCounts
from lending_club_pipeline.ingest.deliveries.balance_sums import BalanceSum, parse_number
from lending_club_pipeline.ingest.deliveries.control_rows import ControlRow, read_rows
from lending_club_pipeline.ingest.deliveries.delivery_folders import DeliveredFile

KEPT_AS: Final = "control.json"
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_RECORDS: Final = re.compile(r"\d{1,18}", re.ASCII)
_EXACT: Final = Context(prec=200)
_REMEDY: Final = "Deliver the files again, or a correct control file"


@dataclass(frozen=True)
class FileTotals:
    """The totals of one file.

    Attributes:
        source_file: its name.
        records: its records, rejected ones included.
        sum_of_balances: sum of its balances; None for a file that has none.
    """

    source_file: str
    records: int
    sum_of_balances: Decimal | None


@dataclass(frozen=True)
class ControlTotals:
    """The content of a control file.

    Attributes:
        delivered_name: name of the control file as delivered.
        sha256: its SHA-256 as stored.
        totals: by file, in the order of the two files.
    """

    delivered_name: str
    sha256: str
    totals: tuple[FileTotals, ...]


def read_control_totals(
    control: DeliveredFile, counts: ByteCounts, plain: Path, as_of_date: dt.date
) -> ControlTotals:
    """Read a control file and refuse it if it names other files or another date.

    Args:
        control: the file as delivered.
        counts: counts of its bytes.
        plain: its text.
        as_of_date: business date of the delivery.

    Raises:
        RefusedDeliveryError: it cannot be read, a file has no row or several, a row is about an
            unknown file, or a business date differs.
    """
    found: dict[str, FileTotals] = {}
    other_dates: list[tuple[Place, str]] = []
    for row in read_rows(control, counts, plain):
        name = _source_file(row)
        if name in found:
            raise RefusedDeliveryError(
                "control_row_twice", row.place, f"{name} has a second row", "Leave one"
            )
        other_dates.extend(_other_date(row, name, as_of_date))
        found[name] = FileTotals(name, _records(row), _sum(row, name))
    missing = [source.name for source in SOURCE_FILES if source.name not in found]
    if missing:
        raise RefusedDeliveryError(
            "control_row_missing",
            Place(control.path),
            f"it has no row for {' and '.join(missing)}",
            "A control file has one row for each of the two files",
        )
    if other_dates:
        raise RefusedDeliveryError(
            "control_date_differs",
            other_dates[0][0],
            "; ".join(problem for _, problem in other_dates),
            "Name the business date by --as-of or by the folder, or deliver the right files",
        )
    totals = tuple(found[source.name] for source in SOURCE_FILES)
    return ControlTotals(control.path.name, counts.sha256, totals)


def compare_totals(
    expected: ControlTotals, records: Mapping[str, int], balances: BalanceSum, place: Place
) -> None:
    """Refuse a delivery that does not add up to its control totals; name all differences at once.

    Args:
        expected: the control totals.
        records: landed and rejected records by file.
        balances: the sum of the landed balances.
        place: the control file.

    Raises:
        RefusedDeliveryError: numbers differ; the text names them and the differences. Its code is
            that of the first.
    """
    found = [*_differing_records(expected, records), *_differing_sum(expected, balances)]
    if found:
        problems = "; ".join(problem for _, problem in found)
        raise RefusedDeliveryError(found[0][0], place, problems, _REMEDY)


def _differing_records(
    expected: ControlTotals, records: Mapping[str, int]
) -> Iterator[tuple[str, str]]:
    for totals in expected.totals:
        found = records[totals.source_file]
        if found != totals.records:
            difference = f"({found - totals.records:+,})"
            problem = f"should have {totals.records:,} records and has {found:,} {difference}"
            yield "control_records_differ", f"{totals.source_file} {problem}"


def _differing_sum(expected: ControlTotals, balances: BalanceSum) -> Iterator[tuple[str, str]]:
    if balances.too_long:
        problem = (
            f"{balances.too_long:,} balances of {ACCOUNTS.name} have so many digits that no sum "
            "can be compared: correct these balances"
        )
        yield "control_sum_unknown", problem
        return
    said = next(it.sum_of_balances for it in expected.totals if it.sum_of_balances is not None)
    if said != balances.amount:
        difference = _EXACT.subtract(balances.amount, said)
        problem = (
            f"the balances of {ACCOUNTS.name} should come to {_shown(said)} and come to "
            f"{_shown(balances.amount)} ({'+' if difference > 0 else ''}{_shown(difference)})"
        )
        yield "control_sum_differs", problem


def keep(control: ControlTotals, folder: Path) -> None:
    """Write the control totals of a landed day into its folder."""
    (folder / KEPT_AS).write_text(json.dumps(asdict(control), default=str, indent=1))


def read_kept(folder: Path) -> ControlTotals | None:
    """Return the control totals of a landed day; None if there were none."""
    path = folder / KEPT_AS
    if not path.exists():
        return None
    kept = json.loads(path.read_text())
    return ControlTotals(
        kept["delivered_name"], kept["sha256"], tuple(map(_restored, kept["totals"]))
    )


def csv_of(totals: Sequence[FileTotals], as_of_date: dt.date) -> str:
    """Return the text of a control file."""
    lines = ["File,Records,SumOfBalances,BusinessDate"]
    for it in totals:
        amount = "" if it.sum_of_balances is None else _shown(it.sum_of_balances).replace(",", "")
        lines.append(f"{it.source_file},{it.records},{amount},{as_of_date.isoformat()}")
    return "".join(f"{line}\n" for line in lines)


def _restored(kept: Mapping[str, Any]) -> FileTotals:
    amount = kept["sum_of_balances"]
    return FileTotals(
        kept["source_file"], kept["records"], None if amount is None else Decimal(amount)
    )


def _source_file(row: ControlRow) -> str:
    names = {source.name.lower(): source.name for source in SOURCE_FILES}
    given = re.sub(r"\.(gz|zst)$", "", row.file.lower())
    if given not in names:
        raise RefusedDeliveryError(
            "control_file_unknown",
            row.place,
            "this row is about a file that no delivery has",
            f"Name {' or '.join(names.values())} in the column File",
        )
    return names[given]


def _records(row: ControlRow) -> int:
    if _RECORDS.fullmatch(row.records) is None:
        raise RefusedDeliveryError(
            "control_unreadable",
            row.place,
            "the number of records is not a whole number",
            "Write digits only",
        )
    return int(row.records)


def _sum(row: ControlRow, name: str) -> Decimal | None:
    amount = parse_number(row.sum_of_balances)
    if name != ACCOUNTS.name and not row.sum_of_balances:
        return None
    if amount is None or name != ACCOUNTS.name:
        raise RefusedDeliveryError(
            "control_unreadable",
            row.place,
            "the sum of balances is not a number"
            if name == ACCOUNTS.name
            else f"{name} has no balances, but the row has a sum of them",
            f"Write the sum like a balance in the row of {ACCOUNTS.name}, and nothing in the other",
        )
    return amount


def _other_date(row: ControlRow, name: str, as_of_date: dt.date) -> Iterator[tuple[Place, str]]:
    try:
        date = dt.date.fromisoformat(row.business_date)
    except ValueError:
        date = None
    if date is None or _DATE.fullmatch(row.business_date) is None:
        raise RefusedDeliveryError(
            "control_unreadable",
            row.place,
            "the business date is not a date",
            "Write it YYYY-MM-DD",
        )
    if date != as_of_date:
        problem = (
            f"the totals of {name} are of {date}, but the delivery is of {as_of_date} "
            f"({(date - as_of_date).days:+,} days)"
        )
        yield row.place, problem


def _shown(amount: Decimal) -> str:
    """Write an amount with thousands commas, and with two decimals or as many as it has."""
    _, _, decimals = f"{amount:f}".partition(".")
    return f"{amount:,.{max(2, len(decimals.rstrip('0')))}f}"
