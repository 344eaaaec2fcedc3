"""The same bytes wherever folders lie and whatever they are called."""

import datetime as dt
import shutil
from pathlib import Path

import pytest
from dbt.adapters.duckdb.credentials import DuckDBCredentials

from lending_club_pipeline.config.clock import Today
from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.contract.errors import ConfigurationError, RefusedDeliveryError
from lending_club_pipeline.defs.instance import ensure_dagster_home, open_instance
from lending_club_pipeline.ingest.deliveries.discovery import find_delivery
from lending_club_pipeline.ingest.landed_files import landed_folder, read_landed_files
from lending_club_pipeline.warehouse.duckdb import DuckDBWarehouse
from tests import commands
from tests.faults.landings import Landing
from tests.faults.names import HOSTILE
from tests.workspaces import AS_OF, Workspace

COLUMNS = ["as_of_date", "source_file", "record_number", "account_id", "customer_id", "balance"]
MEMORY = 2**29
# As dbt's macro `is_of_this_run` asks for one day and for several.
PATHS = ["INPUT_PATH", "OUTPUT_PATH", "LANDING_PATH", "DUCKDB_PATH", "DAGSTER_HOME"]
DAYS = [
    "= cast('2024-05-05' as date)",
    "in (cast('2024-05-05' as date), cast('2024-05-06' as date))",
]


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    return DuckDBWarehouse(tmp_path / "lending_club.duckdb", MEMORY, threads=1)


def columns_of(warehouse: DuckDBWarehouse, view: str) -> list[str]:
    return [row["column_name"] for row in warehouse.fetch(f"describe {view}")]


_FEW = 5


@pytest.mark.parametrize("part", range(_FEW))
def test_a_delivery_is_landed_viewed_and_written_below_folders_of_any_names(
    part: int, tmp_path: Path, warehouse: DuckDBWarehouse
) -> None:
    below = tmp_path.joinpath(*HOSTILE[part::_FEW])
    _assert_the_same_below(below, tmp_path / "plain", warehouse)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_delivery_is_landed_viewed_and_written_below_a_folder_of_any_name(
    name: str, tmp_path: Path, warehouse: DuckDBWarehouse
) -> None:
    _assert_the_same_below(tmp_path / name / name, tmp_path / "plain", warehouse)


def _assert_the_same_below(below: Path, usual: Path, warehouse: DuckDBWarehouse) -> None:
    """A delivery is landed, viewed and written below one folder as below a usual one."""
    plain, hostile = Landing(usual), Landing(below)
    plain.deliver()
    hostile.deliver()
    files = plain.land().files
    assert hostile.land().files == files
    assert hostile.landed_bytes() == plain.landed_bytes()
    assert read_landed_files(landed_folder(hostile.target, AS_OF)) == files

    with warehouse.session():
        rows, columns = {}, {}
        for landing in (plain, hostile):
            warehouse.load_raw(landing.target, AS_OF)
            views = ("customers_raw", "accounts_raw", "delivered_files", "rejected_records")
            columns[landing] = {view: columns_of(warehouse, view) for view in views}
            rows[landing] = {view: warehouse.fetch(f"from {view}") for view in views}
            for kind in ("csv", "parquet"):
                warehouse.copy_to_file("from accounts_raw", landing.root / f"out.{kind}", kind)
                assert (landing.root / f"out.{kind}").read_bytes() == (
                    plain.root / f"out.{kind}"
                ).read_bytes()
            csv = landing.root / "converted.csv"
            assert warehouse.convert_to_csv(landing.root / "out.parquet", csv) == 2
            assert csv.read_bytes() == (landing.root / "out.csv").read_bytes()

    assert columns[hostile] == columns[plain]
    assert columns[hostile]["accounts_raw"][: len(COLUMNS)] == COLUMNS
    assert rows[hostile] == rows[plain]
    assert [row["as_of_date"] for row in rows[hostile]["delivered_files"]] == [AS_OF, AS_OF]


def test_a_folder_of_one_name_is_not_read_for_a_neighbour_that_its_name_matches(
    tmp_path: Path, warehouse: DuckDBWarehouse
) -> None:
    for name in ("a?b", "axb", "a*b", "a[x]b"):
        landing = Landing(tmp_path / name)
        landing.deliver()
        landing.land()
    with warehouse.session():
        for name in ("a?b", "a*b", "a[x]b"):
            warehouse.load_raw(tmp_path / name / "landing", AS_OF)
            assert len(warehouse.fetch("from accounts_raw")) == 2


@pytest.mark.parametrize("condition", DAYS)
def test_one_day_of_many_is_read_without_opening_the_records_of_others(
    tmp_path: Path, warehouse: DuckDBWarehouse, condition: str
) -> None:
    landing = Landing(tmp_path)
    landing.deliver()
    landing.land()
    landed = landed_folder(landing.target, AS_OF)
    for days in range(40):
        date = dt.date(2024, 5, 1) + dt.timedelta(days=days)
        folder = landed_folder(landing.target, date)
        shutil.copytree(landed, folder)
        # The first day says what columns there are.
        if date.day not in (1, 5, 6):
            # Whoever opened this as Parquet would fail.
            (folder / "accounts_encoded.parquet").write_bytes(b"no Parquet")
    with warehouse.session():
        warehouse.load_raw(landing.target, AS_OF)
        query = f"select customer_id from accounts_raw where as_of_date {condition}"
        assert {row["customer_id"] for row in warehouse.fetch(query)} == {"1", "2"}


def database_of_dbt(warehouse: DuckDBWarehouse) -> str:
    """What dbt makes of the database's path in its profile."""
    path = warehouse.dbt_environment()["DUCKDB_PATH"]
    found = DuckDBCredentials.from_dict(DuckDBCredentials.__pre_deserialize__({"path": path}))
    return str(found.database)


def is_refused_as_database(path: Path) -> bool:
    try:
        load_settings({"duckdb_path": path})
    except ConfigurationError as error:
        lines = str(error).splitlines()
        return len(lines) == 1 and lines[0].startswith("DUCKDB_PATH=")
    return False


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_database_lies_below_a_folder_of_any_name(name: str, tmp_path: Path) -> None:
    file = tmp_path / name / "lending_club.duckdb"
    if "?" in name:
        assert is_refused_as_database(file)
        assert not list(tmp_path.iterdir())
        return
    warehouse = DuckDBWarehouse.from_settings(load_settings({"duckdb_path": file}))
    with warehouse.session():
        with warehouse.cursor() as cursor:
            cursor.execute("create table kept as select 7 as value")
            # The log that a killed run would leave lies beside the file.
            assert {path.name for path in file.parent.iterdir()} >= {file.name, f"{file.name}.wal"}
        name_of_database = warehouse.fetch("select current_database() as name")[0]["name"]
    assert database_of_dbt(warehouse) == name_of_database == "lending_club"
    with warehouse.session(read_only=True):
        assert warehouse.fetch("from kept") == [{"value": 7}]
    assert list(tmp_path.iterdir()) == [tmp_path / name]


@pytest.mark.parametrize("name", [*HOSTILE, "temp.db", "Main.duckdb", "..."], ids=ascii)
def test_a_database_file_has_any_name_that_dbt_can_use_or_is_refused(
    name: str, tmp_path: Path
) -> None:
    if is_refused_as_database(tmp_path / name):
        assert not list(tmp_path.iterdir())
        return
    warehouse = DuckDBWarehouse.from_settings(load_settings({"duckdb_path": tmp_path / name}))
    with warehouse.session():
        name_of_database = warehouse.fetch("select current_database() as name")[0]["name"]
    assert database_of_dbt(warehouse) == name_of_database
    assert {path.name for path in tmp_path.iterdir()} == {name, f"{name}.lock"}


def test_most_names_are_names_of_database_files(tmp_path: Path) -> None:
    refused = [name for name in HOSTILE if is_refused_as_database(tmp_path / name)]
    assert len(refused) < len(HOSTILE) / 4


@pytest.mark.parametrize("setting", ["DUCKDB_PATH", "LANDING_PATH"])
def test_a_backslash_where_views_would_keep_it_is_refused_before_anything_is_written(
    setting: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings({setting.lower(): tmp_path / "a\\b" / "c"})
    assert str(caught.value).startswith(f"{setting}=")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("setting", PATHS)
def test_a_name_that_is_no_unicode_is_refused(
    setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(setting, str(tmp_path / "\udcff"))
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load_settings()


def test_inputs_and_outputs_may_lie_below_a_backslash(tmp_path: Path) -> None:
    plain, hostile = Landing(tmp_path / "plain"), Landing(tmp_path / "a\\b" / "\\")
    plain.deliver()
    hostile.deliver()
    for landing in (plain, hostile):
        landing.land()
    # What reads the folder of all days is kept in views; one day alone is read from anywhere.
    assert hostile.landed_bytes() == plain.landed_bytes()
    assert read_landed_files(landed_folder(hostile.target, AS_OF))


@pytest.mark.parametrize("part", range(3))
def test_dagster_keeps_its_history_below_a_folder_of_any_name(part: int, tmp_path: Path) -> None:
    names = [name for name in HOSTILE if len(name) < 100][part::3]
    folder = tmp_path.joinpath("?", "%", *names)
    home = ensure_dagster_home(load_settings({"dagster_home": folder}))
    with open_instance(home) as instance:
        instance.add_dynamic_partitions("names", names)
    with open_instance(home) as instance:
        assert set(instance.get_dynamic_partitions("names")) == set(names)
    assert (home / "history" / "runs.db").exists()
    assert list(tmp_path.iterdir()) == [tmp_path / "?"]


def test_a_run_history_that_lies_too_deep_for_sqlite_is_refused(tmp_path: Path) -> None:
    home = tmp_path / ("x" * 200) / ("y" * 230)
    with pytest.raises(ConfigurationError, match=r"DAGSTER_HOME=.* name a shorter one"):
        load_settings({"dagster_home": home})
    assert not list(tmp_path.iterdir())


def test_an_error_that_names_a_path_is_one_line(tmp_path: Path) -> None:
    landing = Landing(tmp_path / "line\nfeed\u2028")
    landing.folder.mkdir(parents=True)
    with pytest.raises(RefusedDeliveryError) as caught:
        find_delivery(landing.inputs, AS_OF, Today(AS_OF))
    assert len(str(caught.value).splitlines()) == 1
    assert "line\\nfeed" in str(caught.value)


@pytest.mark.exhaustive
def test_a_whole_run_gives_the_same_bytes_whatever_all_folders_are_called(
    tmp_path: Path, good_run: Workspace, prepared_dbt: Path
) -> None:
    names = [name for name in HOSTILE if len(name) < 100]
    root = tmp_path.joinpath(*(name for name in names if "?" not in name))
    asked = root / "a?b"
    workspace = Workspace(root)
    for folder in (asked / "%(x)s" / "tmp", asked / "{{ work }}"):
        folder.mkdir(parents=True)
    shutil.copytree(good_run.inputs, asked / "inputs")
    home = tmp_path / "100% #1? {{ x }} [y] 'z'\n=" / "dagster"
    shutil.copytree(prepared_dbt, home / "dbt")

    ended = commands.run(
        ("run", "--inputs", str(asked / "inputs"), "--outputs", str(asked / "outputs")),
        {
            **workspace.environment(),
            "INPUT_PATH": str(root / "neither read nor made"),
            "LANDING_PATH": str(asked / "[landing]=*"),
            "DUCKDB_PATH": str(root / "my {{ database }} [1]=%s.duckdb"),
            "DAGSTER_HOME": str(home),
            "TMPDIR": str(asked / "%(x)s" / "tmp"),
        },
        asked / "{{ work }}",
    )

    assert ended.returncode == 0, ended.stderr
    published = {path.name: path.read_bytes() for path in sorted((asked / "outputs").iterdir())}
    # It names the run.
    del published["manifest.json"]
    assert published == good_run.output_bytes()
    assert (home / "history" / "runs.db").exists()
    assert not list((asked / "{{ work }}").iterdir())
    assert not list((asked / "%(x)s" / "tmp").iterdir())
    assert {path.name for path in root.iterdir()} == {
        "a?b", *(f"my {{{{ database }}}} [1]=%s.duckdb{end}" for end in ("", ".lock"))
    }  # fmt: skip
