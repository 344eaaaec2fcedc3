"""Names and records of customers stay where they belong, whatever happens to a delivery."""

import gzip
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.workspaces import ACCOUNT_HEADER, CUSTOMER_HEADER, Workspace

# In every name, and in whatever else is not published; as it came or in lower case. The published
# accounts have numbers of their own: their first ones are shown where the run history is read.
CANARY = b"quokka"
CUSTOMER_CANARY = b"77007700"

CUSTOMERS = (
    f"{CUSTOMER_HEADER}"
    "1,Quokka Good,yes\n"
    "770077002,Quokka Quarantined,perhaps\n"
    '770077003,"Quokka "Rejected,no\n'
    "770077004,Quokka,Rejected,no\n"
)
ACCOUNTS = (
    f"{ACCOUNT_HEADER}"
    "A1,1,100.00,Savings\n"
    "Quokka-2,770077002,100.00,Savings\n"
    "Quokka-3,1,Quokka,Savings\n"
    "Quokka-4,1\n"
)
# What is refused, each with canaries where an error could show them.
REFUSED = {
    "no header": CUSTOMERS.partition("\n")[2].encode(),
    "no header, a word twice": b"Quokka,Quokka,770077001\n770077002,Quokka,yes\n",
    "no header, one field": b"Quokka\n",
    "no column": b"CustomerID,Name\n770077001,Quokka\n",
    "semicolons": CUSTOMERS.replace(",", ";").encode(),
    "UTF-16": CUSTOMERS.encode("utf-16"),
    "mixed line ends": CUSTOMERS.encode() + b"770077005,Quokka,no\r\n770077006,Quokka,no\n",
    "open quote": CUSTOMERS.encode() + b'770077005,"Quokka,no\n770077006,Quokka,no\n',
    "open quote in the header": b'CustomerID,Name,"HasLoan\n770077001,Quokka,yes\n',
}


@pytest.fixture
def temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this process and those that it starts keep temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def _assert_no_canary(said: bytes, *folders: Path) -> None:
    places = {"what was said": said}
    for folder in folders:
        places |= {str(it): it.read_bytes() for it in folder.rglob("*") if it.is_file()}
    found = [
        place
        for place, content in places.items()
        if CANARY in content.lower() or CUSTOMER_CANARY in content
    ]
    assert found == []


@dataclass(frozen=True)
class Processed:
    """A delivery with personal data in all of its records, after a run that says all it can.

    Attributes:
        data: folder of the database.
        temporary: where the run keeps temporary files.
        said: what the run said.
    """

    workspace: Workspace
    data: Path
    temporary: Path
    said: str


@pytest.fixture(scope="module")
def processed(new_workspace: Callable[[str], Workspace]) -> Processed:
    workspace = new_workspace("personal")
    workspace.deliver(CUSTOMERS.encode(), ACCOUNTS.encode())
    data, temporary = workspace.root / "data", workspace.root / "temporary"
    temporary.mkdir()
    places = {"DUCKDB_PATH": str(data / "lending_club.duckdb"), "TMPDIR": str(temporary)}
    ended = workspace.command("--debug", "run", **places)
    assert ended.returncode == 0, ended.stderr
    return Processed(workspace, data, temporary, ended.stdout + ended.stderr)


def test_a_run_shows_and_records_no_name_and_no_record(processed: Processed) -> None:
    workspace = processed.workspace
    # What is searched for is there: in the outputs, where it belongs.
    quarantine = (workspace.outputs / "quarantine.csv").read_bytes().lower()
    assert quarantine.count(CANARY + b" quarantined") == 1
    assert quarantine.count(b"rejected,no") == 2
    assert quarantine.count(CANARY + b"-") == 3
    report = workspace.outputs / "report.html"
    _assert_no_canary(
        processed.said.encode() + report.read_bytes(),
        workspace.root / "dagster",
        processed.temporary,
    )


@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param(("no header", "open quote"), id="one of each step"),
        pytest.param(tuple(REFUSED), id="each kind", marks=pytest.mark.exhaustive),
    ],
)
def test_a_refusal_shows_and_records_no_name_and_no_record(
    workspace: Workspace,
    temporary_files: Path,
    capfd: pytest.CaptureFixture[str],
    kinds: tuple[str, ...],
) -> None:
    said = []
    for kind in kinds:
        workspace.deliver(REFUSED[kind], ACCOUNTS.encode())
        report = workspace.run()
        assert report.outcome == "refused", report.message
        said.append(report.message)
    (workspace.inputs / "2026-01-31" / "Customer.csv").unlink()
    packed = gzip.compress(CUSTOMERS.encode(), compresslevel=0)
    (workspace.inputs / "2026-01-31" / "Customer.csv.gz").write_bytes(packed[:-4])
    said.append(workspace.run().message)

    captured = capfd.readouterr()
    _assert_no_canary(
        "\n".join([*said, *workspace.messages, captured.out, captured.err]).encode(),
        workspace.root / "dagster",
        temporary_files,
    )


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("cast(account_id as integer)", id="cast"),
        pytest.param("error('for ' || account_id)", id="error", marks=pytest.mark.exhaustive),
    ],
)
def test_a_model_that_fails_on_a_value_does_not_show_it_and_publishes_nothing(
    after_good_run: Workspace,
    project: Path,
    value: str,
) -> None:
    model = project / "models/marts/account_summary_daily.sql"
    text = model.read_text()
    broken = text.replace(
        "cast(balance + annual_interest as decimal(18, 2)) as new_balance",
        f"cast({value} as decimal(18, 2)) as new_balance",
    )
    assert broken != text
    model.write_text(broken)
    after_good_run.deliver(CUSTOMERS.encode(), ACCOUNTS.replace("A1", "Quokka-5").encode())
    before = after_good_run.output_bytes()

    report = after_good_run.run()

    assert report.outcome == "failed"
    assert report.message.startswith("dbt model or test account_summary_daily: ")
    assert "the outputs of the last good run are unchanged" in report.message
    assert after_good_run.output_bytes() == before
    _assert_no_canary(
        "\n".join([report.message, *after_good_run.messages]).encode(),
        after_good_run.root / "dagster",
    )


def test_files_with_personal_data_are_their_owners_alone(processed: Processed) -> None:
    # By the usual mask everybody could read them.
    folders = (processed.data, processed.workspace.outputs)
    written = [it for folder in folders for it in (folder, *folder.rglob("*"))]
    names = {path.name for path in written}
    assert names >= {
        "lending_club.duckdb", "landing", "customers_encoded.parquet", "accounts_encoded.parquet",
        "rejects.parquet", "quarantine.csv", "account_summary.csv", "account_summary.parquet",
    }  # fmt: skip
    modes = {str(path): oct(stat.S_IMODE(path.stat().st_mode)) for path in written}
    assert modes == {str(path): "0o700" if path.is_dir() else "0o600" for path in written}
