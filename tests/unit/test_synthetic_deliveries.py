"""What the generator promises, checked by an oracle that shares no code with it."""

import csv
import datetime as dt
import gzip
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lending_club_pipeline.contract.errors import ConfigurationError, OutputError
from lending_club_pipeline.synthetic.deliveries import GeneratedDelivery, generate_deliveries
from lending_club_pipeline.synthetic.dirt import DIRT_KINDS
from tests.oracle import Outcome, process

SAMPLE = Path(__file__).parents[2] / "data" / "inputs"
NAMES = ("Customer.csv", "accounts.csv")
DAY = dt.date(2026, 1, 31)
PLAIN_CUSTOMER = re.compile(r"\d+,[^,\" ]+ [^,\" ]+,(Yes|No|None)")
PLAIN_ACCOUNT = re.compile(r"A\d{9},\d+,(0|[1-9]\d*)\.\d\d,(Savings|Checking)")


def generate(to: Path, **arguments: Any) -> list[GeneratedDelivery]:
    sizes = {"customers": 200, "accounts": 500}
    return generate_deliveries(to=to, on_progress=lambda _: None, **sizes | arguments)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def judged(folder: Path) -> Outcome:
    """What the oracle makes of a delivery."""
    outcome = process(*((folder / name).read_bytes() for name in NAMES), DAY)
    assert isinstance(outcome, Outcome), outcome
    return outcome


def accounts_by_id(folder: Path) -> dict[str, list[str]]:
    with (folder / "accounts.csv").open(newline="") as file:
        return {record[0]: record[1:] for record in csv.reader(file)}


def test_the_sample_delivery_is_what_the_generator_makes(tmp_path: Path) -> None:
    generate(tmp_path, customers=400, accounts=1_000, dirty=0.04, seed=20260131)

    assert contents(tmp_path) == {name: (SAMPLE / name).read_bytes() for name in NAMES}


def test_equal_arguments_give_equal_bytes_whatever_the_threads_and_the_memory(
    tmp_path: Path,
) -> None:
    sizes = {"customers": 150_000, "accounts": 300_000, "dirty": 0.02, "seed": 5}
    generate(tmp_path / "one", **sizes, threads=1, memory_bytes=2**30)
    generate(tmp_path / "many", **sizes, threads=5, memory_bytes=2**27)

    assert contents(tmp_path / "one") == contents(tmp_path / "many")


def test_another_seed_gives_other_content(tmp_path: Path) -> None:
    generate(tmp_path / "a", seed=1)
    generate(tmp_path / "b", seed=2)

    for name in NAMES:
        assert (tmp_path / "a" / name).read_bytes() != (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(
    "dirty",
    [0.0, 0.37, *(pytest.param(it, marks=pytest.mark.exhaustive) for it in (0.01, 0.51, 1.0))],
)
@pytest.mark.parametrize(
    ("customers", "accounts"),
    [(1, 1), (2, 60), (13, 14), (30, 46), (97, 101), (600, 1_000)],
)
def test_the_dirt_is_what_the_generator_says(
    tmp_path: Path, customers: int, accounts: int, dirty: float
) -> None:
    seed = customers + round(100 * dirty)
    delivery = generate(tmp_path, customers=customers, accounts=accounts, dirty=dirty, seed=seed)[0]

    outcome = judged(tmp_path)

    assert dict(outcome.reasons) == dict(delivery.reasons)
    for name, records in zip(NAMES, (customers, accounts), strict=True):
        assert outcome.ledger[name, "records"][0] == records
        duplicates = delivery.dirt.get((name, "exact_duplicate"), 0)
        assert outcome.ledger[name, "exact_duplicate"][0] == duplicates


def test_a_delivery_without_dirt_is_accepted_as_a_whole(tmp_path: Path) -> None:
    delivery = generate(tmp_path, customers=900, accounts=2_500)[0]

    outcome = judged(tmp_path)

    assert not delivery.dirt
    assert not outcome.reasons
    assert outcome.ledger["Customer.csv", "cleaned"][0] == 900
    assert outcome.ledger["accounts.csv", "joined"][0] == 2_500


def test_dirt_has_the_share_that_was_asked_for_and_is_spread_evenly_over_its_kinds(
    tmp_path: Path,
) -> None:
    delivery = generate(tmp_path, customers=20_000, accounts=50_000, dirty=0.1)[0]

    for name, records in (("Customer.csv", 20_000), ("accounts.csv", 50_000)):
        kinds = {kind: n for (file, kind), n in delivery.dirt.items() if file == name}
        # A conflict takes two records.
        kinds["conflicting_duplicate"] //= 2
        assert sum(kinds.values()) + kinds["conflicting_duplicate"] == records // 10
        assert max(kinds.values()) - min(kinds.values()) <= 1


def test_a_small_delivery_has_every_kind_of_dirt_if_half_of_it_stays_clean(tmp_path: Path) -> None:
    delivery = generate(tmp_path, customers=60, accounts=60, dirty=0.001)[0]

    every = {(kind.source_file, kind.name) for kind in DIRT_KINDS if kind.name != "record_too_long"}
    assert set(delivery.dirt) == every


def test_a_large_file_has_one_record_that_is_too_long(tmp_path: Path) -> None:
    delivery = generate(tmp_path, customers=100_000, accounts=1_000, dirty=0.01)[0]

    lines = (tmp_path / "Customer.csv").read_bytes().split(b"\n")
    assert sum(len(line) > 2 * 2**20 for line in lines) == 1
    assert delivery.dirt["Customer.csv", "record_too_long"] == 1
    assert ("accounts.csv", "record_too_long") not in delivery.dirt


def test_few_clean_records_are_written_in_an_unusual_way_and_none_if_so_wished(
    tmp_path: Path,
) -> None:
    generate(tmp_path / "usual", customers=4_000, accounts=9_000)
    generate(tmp_path / "plain", customers=4_000, accounts=9_000, unusual=0)

    for name, pattern in zip(NAMES, (PLAIN_CUSTOMER, PLAIN_ACCOUNT), strict=True):
        usual = (tmp_path / "usual" / name).read_text().splitlines()[1:]
        plain = (tmp_path / "plain" / name).read_text().splitlines()[1:]
        assert 0.004 < sum(pattern.fullmatch(line) is None for line in usual) / len(usual) < 0.015
        assert all(pattern.fullmatch(line) for line in plain)


def test_accounts_look_like_those_of_a_bank(tmp_path: Path) -> None:
    generate(tmp_path, customers=5_000, accounts=10_000, unusual=0)

    accounts = list(accounts_by_id(tmp_path).values())[1:]
    balances = [Decimal(balance) for _, balance, _ in accounts]
    tiers = Counter((it >= 10_000) + (it >= 20_000) for it in balances)
    of_each = Counter(customer for customer, _, _ in accounts)
    assert len(accounts) == 10_000
    assert 0.58 < sum(kind == "Savings" for _, _, kind in accounts) / 10_000 < 0.62
    assert all(tiers[tier] > 1_000 for tier in (0, 1, 2))
    assert 10_000 in balances
    assert 0 in balances
    assert 4_000 < len(of_each) < 4_700
    assert max(of_each.values()) >= 6


def test_a_day_is_the_same_alone_and_in_a_series(tmp_path: Path) -> None:
    series = generate(tmp_path / "series", first_day=DAY, days=3, dirty=0.1)
    alone = generate(tmp_path / "alone", first_day=dt.date(2026, 2, 2), dirty=0.1)

    assert [delivery.folder.name for delivery in series] == [
        "2026-01-31",
        "2026-02-01",
        "2026-02-02",
    ]
    assert series[2].as_of_date == dt.date(2026, 2, 2)
    assert contents(series[2].folder) == contents(alone[0].folder)


def test_from_day_to_day_a_few_balances_accounts_and_loans_change(tmp_path: Path) -> None:
    first, second = generate(
        tmp_path, customers=20_000, accounts=20_000, first_day=DAY, days=2, change=0.1, unusual=0
    )

    before, after = accounts_by_id(first.folder), accounts_by_id(second.folder)
    stayed = before.keys() & after.keys()
    changed = [it for it in stayed if before[it][1] != after[it][1]]
    closed, opened = before.keys() - after.keys(), after.keys() - before.keys()
    customers = [(it.folder / "Customer.csv").read_text().splitlines() for it in (first, second)]
    loans = sum(one != other for one, other in zip(*customers, strict=True))
    assert 0.09 < len(changed) / 20_000 < 0.11
    assert all(before[it][0::2] == after[it][0::2] for it in stayed)
    assert len(closed) == len(opened)
    assert 50 < len(closed) < 150
    assert 100 < loans < 220


def test_without_change_every_day_is_the_same(tmp_path: Path) -> None:
    first, second = generate(tmp_path, first_day=DAY, days=2, change=0)

    assert contents(first.folder) == contents(second.folder)


def test_compressed_files_hold_the_same_bytes(tmp_path: Path) -> None:
    generate(tmp_path / "none", dirty=0.2)
    for _ in range(2):
        generate(tmp_path / "gz", dirty=0.2, compression="gz", overwrite=True)
        before = contents(tmp_path / "gz")
    generate(tmp_path / "zst", dirty=0.2, compression="zst")

    assert contents(tmp_path / "gz") == before
    for name in NAMES:
        plain = (tmp_path / "none" / name).read_bytes()
        assert gzip.decompress((tmp_path / "gz" / f"{name}.gz").read_bytes()) == plain
        with pa.input_stream(str(tmp_path / "zst" / f"{name}.zst"), compression="zstd") as stream:
            assert stream.read() == plain


def test_a_delivery_that_is_there_is_replaced_only_if_allowed(tmp_path: Path) -> None:
    generate(tmp_path, compression="gz")
    before = contents(tmp_path)

    with pytest.raises(ConfigurationError, match=r"already holds Customer\.csv\.gz, accounts"):
        generate(tmp_path)
    assert contents(tmp_path) == before

    generate(tmp_path, overwrite=True)
    assert list(contents(tmp_path)) == ["Customer.csv", "accounts.csv"]


def test_an_interrupted_generation_leaves_what_was_there(tmp_path: Path) -> None:
    generate(tmp_path)
    before = contents(tmp_path)

    def interrupt(message: str) -> None:
        if "accounts.csv" in message:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate_deliveries(
            customers=5, accounts=5, to=tmp_path, on_progress=interrupt, seed=1, overwrite=True
        )
    assert contents(tmp_path) == before


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "accounts.csv").mkdir()

    with pytest.raises(OutputError, match="cannot be written"):
        generate(tmp_path, overwrite=True)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"customers": -1}, "-1 customers"),
        ({"accounts": -5}, "-5 accounts"),
        ({"accounts": 10**10}, "1,000,000,000"),
        ({"customers": 0}, "who owns them"),
        ({"dirty": 1.01}, "dirty=1.01"),
        ({"dirty": -0.1}, "dirty=-0.1"),
        ({"dirty": float("nan")}, "dirty=nan"),
        ({"change": 2}, "change=2"),
        ({"unusual": -1}, "unusual=-1"),
        ({"days": 0, "first_day": DAY}, "days=0"),
        ({"days": 2}, "Name the first day"),
        ({"first_day": dt.date(1969, 12, 31)}, "too early"),
        ({"first_day": dt.date(9999, 12, 31), "days": 2}, "end of the calendar"),
        ({"threads": 0}, "threads=0"),
        ({"memory_bytes": 2**20}, "128MiB or more"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_before_anything_is_written(
    tmp_path: Path, arguments: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(complaint)):
        generate(tmp_path / "new", **arguments)

    assert not (tmp_path / "new").exists()


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigurationError, match="is a file, not a folder"):
        generate(tmp_path / "file")
