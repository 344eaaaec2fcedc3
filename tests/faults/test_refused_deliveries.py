"""Deliveries that cannot be had whole: a line says what and where, and what was landed stays."""

import datetime as dt
import gzip
import os
import shutil
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from lending_club_pipeline.cli import cli
from lending_club_pipeline.config.clock import Today
from lending_club_pipeline.ingest.csv import parsing
from lending_club_pipeline.ingest.deliveries.discovery import find_delivery
from tests.faults.landings import ACCOUNTS, CUSTOMERS, TODAY, Landing
from tests.faults.restrictions import mode
from tests.workspaces import AS_OF, Workspace


def test_a_missing_inputs_folder_is_refused(landing: Landing) -> None:
    shutil.rmtree(landing.inputs)

    refusal = landing.refusal()

    assert refusal.code == "folder_missing"
    assert refusal.place.path == landing.inputs
    assert "INPUT_PATH" in refusal.remedy


def test_a_file_in_place_of_the_inputs_folder_is_refused(landing: Landing) -> None:
    shutil.rmtree(landing.inputs)
    landing.inputs.touch()

    assert landing.refusal().code == "not_a_folder"


def test_a_date_without_folder_and_without_undated_files_is_refused(landing: Landing) -> None:
    refusal = landing.refusal(dt.date(2026, 1, 30))

    assert refusal.code == "delivery_missing"
    assert refusal.place.path == landing.inputs
    assert "2026-01-30" in refusal.problem


@pytest.mark.parametrize("name", ["Customer.csv", "accounts.csv"])
def test_one_file_of_two_is_refused(landing: Landing, name: str) -> None:
    (landing.folder / name).unlink()

    refusal = landing.refusal()

    assert refusal.code == "file_missing"
    assert refusal.place.path == landing.folder / name


@pytest.mark.parametrize(
    ("there", "remedy"),
    [
        ("Accounts.CSV", "Rename Accounts.CSV to accounts.csv"),
        ("ACCOUNTS.csv.GZ", "Rename ACCOUNTS.csv.GZ to accounts.csv.gz"),
        ("accounts.csv.zip", "Unpack accounts.csv.zip, and put accounts.csv"),
        ("Accounts 2026-01-31.zip", "Unpack Accounts 2026-01-31.zip"),
        ("accounts.csv.part", "Rename accounts.csv.part to accounts.csv if it is that file"),
        ("accounts.txt", "Rename accounts.txt"),
    ],
)
def test_a_file_that_looks_like_the_missing_one_is_named_with_what_to_do(
    landing: Landing, there: str, remedy: str
) -> None:
    landing.accounts.rename(landing.folder / there)
    (landing.folder / "accounts-old").mkdir()

    refusal = landing.refusal()

    assert refusal.code == "file_missing"
    assert refusal.problem == f"the delivery has no accounts.csv, but {there}"
    assert refusal.remedy.startswith(remedy)


def test_undated_files_of_other_case_are_named(landing: Landing) -> None:
    landing.customers.rename(landing.inputs / "customer.csv")

    refusal = landing.refusal(dt.date(2026, 1, 30))

    assert refusal.code == "delivery_missing"
    assert refusal.problem.endswith("nor undated files, but customer.csv")
    assert refusal.remedy.startswith("Rename customer.csv to Customer.csv")


@pytest.mark.parametrize("name", ["Control.csv", "control.CSV", "CONTROL.csv.gz"])
def test_control_totals_are_not_left_out_for_how_their_name_is_written(
    landing: Landing, name: str
) -> None:
    (landing.folder / name).write_bytes(b"")

    refusal = landing.refusal()

    assert (refusal.code, refusal.place.path.name) == ("file_misspelt", name)
    assert name in refusal.remedy


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c", b"\xfd7zXZ\0", b"BZh9"])
def test_an_archive_that_is_called_csv_is_told_from_a_csv_file(
    landing: Landing, start: bytes
) -> None:
    landing.accounts.write_bytes(start + b"\0\n\xff,\n" * 9)

    refusal = landing.refusal()

    assert refusal.code == "compressed"
    assert "Unpack it" in refusal.remedy


def _folder(landing: Landing) -> None:
    landing.accounts.mkdir()


def _pipe(landing: Landing) -> None:
    os.mkfifo(landing.accounts)


def _link_to_nothing(landing: Landing) -> None:
    landing.accounts.symlink_to("nowhere.csv")


def _link_to_itself(landing: Landing) -> None:
    landing.accounts.symlink_to(landing.accounts.name)


@pytest.mark.parametrize(
    ("put", "code"),
    [
        (_folder, "not_a_file"),
        (_pipe, "not_a_file"),
        (_link_to_nothing, "file_missing"),
        (_link_to_itself, "file_unreadable"),
    ],
)
def test_what_is_no_file_is_refused(
    landing: Landing, put: Callable[[Landing], None], code: str
) -> None:
    landing.accounts.unlink()
    put(landing)

    refusal = landing.refusal()

    assert refusal.code == code
    assert refusal.place.path == landing.accounts


def test_a_folder_with_the_name_of_a_file_is_not_told_to_have_the_name_of_a_date(
    landing: Landing, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = landing.inputs / "accounts.csv"
    wrong.mkdir()

    refusal = landing.refusal(as_of=dt.date(2026, 1, 30))

    assert refusal.code == "file_missing"
    wrong.with_name("Customer.csv").write_bytes(CUSTOMERS)
    refusal = landing.refusal(as_of=dt.date(2026, 1, 30))

    assert (refusal.code, refusal.place.path) == ("not_a_file", wrong)
    assert caplog.messages == []


def test_an_unreadable_file_is_refused(landing: Landing) -> None:
    with mode(landing.accounts, 0o000):
        refusal = landing.refusal()

    assert refusal.code == "file_unreadable"
    assert refusal.place.path == landing.accounts


@pytest.mark.parametrize("bits", [0o000, 0o400], ids=["not listed", "listed, not searched"])
def test_an_unreadable_folder_is_refused(landing: Landing, bits: int) -> None:
    for folder in (landing.folder, landing.inputs):
        with mode(folder, bits):
            refusal = landing.refusal()

        assert refusal.code == "folder_unreadable"
        assert refusal.place.path == folder


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(ACCOUNTS)[:-6],
        gzip.compress(ACCOUNTS)[:8],
        gzip.compress(ACCOUNTS, mtime=0).replace(b"\x1f\x8b", b"\x1f\x00"),
        ACCOUNTS,
        gzip.compress(ACCOUNTS) + b"more",
    ],
    ids=["cut at the end", "cut in its head", "damaged", "not compressed", "with a tail"],
)
def test_a_gz_file_that_is_not_whole_is_refused(landing: Landing, content: bytes) -> None:
    landing.accounts.unlink()
    compressed = landing.folder / "accounts.csv.gz"
    compressed.write_bytes(content)

    refusal = landing.refusal()

    assert refusal.code == "file_truncated"
    assert refusal.place.path == compressed


def test_a_file_in_two_forms_is_refused(landing: Landing) -> None:
    (landing.folder / "accounts.csv.gz").write_bytes(gzip.compress(ACCOUNTS))

    refusal = landing.refusal()

    assert refusal.code == "file_in_several_forms"
    assert "accounts.csv and accounts.csv.gz" in refusal.problem


def test_a_folder_of_the_future_beside_undated_files_is_named(
    landing: Landing, caplog: pytest.LogCaptureFixture
) -> None:
    tomorrow = landing.inputs / (TODAY + dt.timedelta(days=1)).isoformat()
    tomorrow.mkdir()
    for file in landing.folder.iterdir():
        shutil.copy(file, landing.inputs)

    found = find_delivery(landing.inputs, None, Today(TODAY))

    assert found.as_of_date == TODAY
    assert f"{tomorrow} is left alone: its date lies in the future" in caplog.text


def test_a_date_in_the_future_is_refused(landing: Landing) -> None:
    tomorrow = TODAY + dt.timedelta(days=1)
    landing.folder.rename(landing.inputs / tomorrow.isoformat())

    for as_of in (tomorrow, None):
        refusal = landing.refusal(as_of)

        assert refusal.code == "date_in_the_future"
        assert str(tomorrow) in refusal.problem
        assert str(TODAY) in refusal.problem


@pytest.mark.parametrize(
    "name",
    ["2026-13-45", "2026-1-31", "20260131", "31.01.2026", "2026-01-31 copy", "Jan 31", "archive"],
)
def test_a_folder_whose_name_is_no_date_is_ignored_with_a_warning(
    landing: Landing, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = landing.inputs / name
    shutil.copytree(landing.folder, wrong)
    (wrong / "Customer.csv").write_bytes(b"")

    for as_of in (AS_OF, None):
        caplog.clear()
        assert landing.land(as_of).as_of_date == AS_OF
        assert caplog.messages == [
            f"{wrong} is ignored: its name is not a date. Rename it to YYYY-MM-DD."
        ]


def _grow(landing: Landing) -> None:
    with landing.customers.open("ab") as file:
        file.write(b"3,Alan Turing,no\n")


def _replace(landing: Landing) -> None:
    other = landing.folder / "other.csv"
    other.write_bytes(landing.customers.read_bytes().replace(b"Ada", b"Eva"))
    other.replace(landing.customers)


def _remove(landing: Landing) -> None:
    landing.customers.unlink()


@pytest.mark.parametrize("change", [_grow, _replace, _remove])
def test_a_file_that_changes_while_it_is_read_is_refused(
    landing: Landing, monkeypatch: pytest.MonkeyPatch, change: Callable[[Landing], None]
) -> None:
    landing.accounts.write_bytes(ACCOUNTS + b"A3,1,1.00,Savings\n")
    split = parsing.split

    def split_and_change(connection, plain, place, header, source, target) -> int:
        landed = split(connection, plain, place, header, source, target)
        if source.table == "customers":
            change(landing)
        return landed

    monkeypatch.setattr(parsing, "split", split_and_change)

    refusal = landing.refusal()

    assert refusal.code == "file_changed"
    assert refusal.place.path == landing.customers


def test_a_file_that_is_split_into_too_few_records_is_refused(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing.accounts.write_bytes(ACCOUNTS + b"A3,1,1.00,Savings\n")
    split = parsing.split

    def split_and_lose_one(connection, plain, place, header, source, target) -> int:
        landed = split(connection, plain, place, header, source, target)
        if source.table == "accounts":
            kept = f"select * from read_parquet('{target}') where account_id != 'A2'"
            return connection.execute(f"copy ({kept}) to '{target}'").fetchone()[0]
        return landed

    monkeypatch.setattr(parsing, "split", split_and_lose_one)

    refusal = landing.refusal()

    assert refusal.code == "lines_unaccounted_for"
    assert refusal.place.path == landing.accounts
    assert "4 physical lines" in refusal.problem
    assert "make 3" in refusal.problem


_FILE = "Customer.csv"
_REFUSED_FILES = {
    "empty": {_FILE: b""},
    "header only": {_FILE: CUSTOMERS.splitlines(keepends=True)[0]},
    "missing column": {_FILE: CUSTOMERS.replace(b"HasLoan", b"Loans")},
    "duplicate column": {_FILE: CUSTOMERS.replace(b"HasLoan", b"HasLoan,Name")},
    "semicolons": {_FILE: CUSTOMERS.replace(b",", b";")},
    "tabs": {_FILE: CUSTOMERS.replace(b",", b"\t")},
    "UTF-16": {_FILE: CUSTOMERS.decode().encode("utf-16")},
    "mixed line ends": {_FILE: CUSTOMERS + b"3,Alan,no\r\n"},
    "cut off": {f"{_FILE}.gz": gzip.compress(CUSTOMERS)[:-6]},
    "in two forms": {_FILE: CUSTOMERS, f"{_FILE}.gz": gzip.compress(CUSTOMERS)},
    "missing": {},
    "a folder": {f"{_FILE}/inside": b""},
}
# Refused when it is looked for, unpacked, looked at and split; the others are refused beside these.
_OF_EACH_STEP = ("missing", "cut off", "missing column", "mixed line ends")


def test_each_kind_of_refused_file_ends_the_command_with_3_and_one_line(
    after_good_run: Workspace, request: pytest.FixtureRequest
) -> None:
    before = after_good_run.output_bytes()
    folder = after_good_run.inputs / AS_OF.isoformat()
    kinds = _REFUSED_FILES if request.config.getoption("exhaustive") else _OF_EACH_STEP
    for kind in kinds:
        files = _REFUSED_FILES[kind]
        shutil.rmtree(folder)
        after_good_run.deliver(CUSTOMERS, ACCOUNTS)
        (folder / _FILE).unlink()
        for name, content in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)

        ended = CliRunner().invoke(cli, ["run"], env=after_good_run.variables())

        assert ended.exit_code == 3, kind
        assert ended.stdout == "", kind
        # One line, as the next one says where the logs are.
        *_, refused, logs = ended.stderr.splitlines()
        assert refused.startswith(f"Refused: {folder}"), kind
        assert _FILE in refused, kind
        assert logs.startswith("Logs: "), kind
        assert after_good_run.output_bytes() == before, kind


def test_a_refused_delivery_exits_with_3_and_leaves_the_outputs_as_they_are(
    after_good_run: Workspace,
) -> None:
    before = after_good_run.output_bytes()
    folder = after_good_run.deliver(CUSTOMERS + b'3,"Alan,none\n4,Emmy,no\n', ACCOUNTS)
    wrong = after_good_run.inputs / "2026-1-31"
    wrong.mkdir()

    ended = after_good_run.command("run")

    assert ended.returncode == 3
    assert ended.stdout == ""
    assert after_good_run.output_bytes() == before
    said = ended.stderr.splitlines()
    assert f"{wrong} is ignored: its name is not a date. Rename it to YYYY-MM-DD." in said
    assert f"Delivery of 2026-01-31 in {folder}" in said
    refused = (
        f"Refused: {folder / 'Customer.csv'}, line 4: a quote opens on this line and is never "
        "closed: what it swallowed cannot be known, and the file may have been cut off. Deliver "
        "the whole file again, or correct the quote"
    )
    assert refused in said
