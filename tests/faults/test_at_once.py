"""Several processes at the same database: who works, who waits for whom, and what readers see."""

import datetime as dt
import shutil
import threading

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.faults.histories import CUSTOMERS, VARIANTS, History, differences
from tests.faults.processes import another_process, run_and_kill
from tests.workspaces import AS_OF, Workspace

BEFORE = AS_OF - dt.timedelta(days=1)
# Only a process that hangs takes this long, on the busiest machine.
_PATIENCE = "300"
_BI_TOOL = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
rows = connection.execute("select count(*) from account_summary").fetchone()
print(rows[0], flush=True)
sys.stdin.readline()
print(connection.execute("select count(*) from account_summary").fetchone()[0], flush=True)
"""


@pytest.mark.exhaustive
def test_runs_of_one_date_and_of_another_wait_for_each_other(
    good_run: Workspace, workspace: Workspace
) -> None:
    shutil.copytree(
        good_run.settings().dbt_cache, workspace.settings().dbt_cache, dirs_exist_ok=True
    )
    history = History()
    for day, variant in ((BEFORE, 1), (AS_OF, 2)):
        workspace.deliver(CUSTOMERS, VARIANTS[variant], day)
        history.delivered[day] = variant
    ended = {}

    def run(number: int, day: dt.date) -> None:
        arguments = ("run", "--as-of", day.isoformat(), "--wait", _PATIENCE)
        ended[number] = run_and_kill(workspace, arguments, name=str(number))

    days = [BEFORE, AS_OF, AS_OF]
    threads = [threading.Thread(target=run, args=it) for it in enumerate(days)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [ended[number].code for number in range(3)] == [0, 0, 0], ended
    history.processed([BEFORE, AS_OF], is_forced=False)
    assert list(differences(history, workspace)) == []


@pytest.mark.exhaustive
def test_a_run_beside_a_reader_says_whom_it_waits_for_and_goes_on_when_it_leaves(
    after_good_run: Workspace,
) -> None:
    run = ["run", "--as-of", AS_OF.isoformat()]
    before = after_good_run.output_bytes()

    with another_process(_BI_TOOL, after_good_run.database, says="1") as reader:
        at_once = after_good_run.command(*run)
        waiting = after_good_run.started(*run, "--wait", _PATIENCE)
        assert waiting.stderr is not None
        said = next(line for line in waiting.stderr if "waiting for" in line)
        assert after_good_run.output_bytes() == before
    _, errors = waiting.communicate()

    assert at_once.returncode == 1
    assert f"process {reader.pid} (" in at_once.stderr
    assert "has this database open" in at_once.stderr
    assert f"waiting for process {reader.pid} (" in said
    assert f"to end, {_PATIENCE} s at most." in said
    assert waiting.returncode == 0, errors
    assert after_good_run.output_bytes() != before


@pytest.mark.exhaustive
def test_explain_beside_a_run_says_so_or_waits(after_good_run: Workspace) -> None:
    with after_good_run.started("run", "--as-of", AS_OF.isoformat()) as run:
        assert run.stderr is not None
        next(line for line in run.stderr if line.startswith("Delivery of"))

        at_once = after_good_run.command("explain", "A1")
        patient = after_good_run.started("explain", "A1", "--wait", _PATIENCE)
        told, errors = patient.communicate()
        run.communicate()

    assert at_once.returncode == 1
    assert f"process {run.pid} (" in at_once.stderr
    assert "--wait" in at_once.stderr
    assert patient.returncode == 0, errors
    assert f"waiting for process {run.pid} (" in errors
    assert "300.00" in told


@pytest.mark.exhaustive
def test_who_reads_an_output_while_it_is_replaced_reads_the_old_one_to_its_end(
    after_good_run: Workspace,
) -> None:
    path = after_good_run.outputs / "account_summary.parquet"
    balances = f"select original_balance from read_parquet('{path}')"
    with pq.ParquetFile(path) as opened, duckdb.connect() as connection:
        before = connection.execute(balances).fetchall()

        report = after_good_run.run()

        assert report.outcome == "success"
        old = opened.read(["original_balance"]).to_pylist()
        assert [(row["original_balance"],) for row in old] == before
        assert connection.execute(balances).fetchall() != before
