"""The report: true numbers, nothing personal, nothing from the network."""

import base64
import dataclasses
import datetime as dt
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest

from lending_club_pipeline.contract.errors import OutputError
from lending_club_pipeline.publish import report as report_package
from lending_club_pipeline.publish.report.data import Example, ReasonCount
from lending_club_pipeline.publish.report.queries import read_report
from lending_club_pipeline.publish.report.render import render
from lending_club_pipeline.reconcile.checks import CheckResult
from lending_club_pipeline.reconcile.ledger import DeliveryLedger, read_ledger
from lending_club_pipeline.warehouse import Warehouse, choose_warehouse
from tests.pipeline.report_pages import Page, dumped, write_report
from tests.workspaces import AS_OF, Workspace

BEFORE = dt.date(2026, 1, 30)
CUSTOMERS = (
    "1,Zebedee Canary,yes\n2,Quillon Canary,no\n3,Ottoline Canary,none\nx4,Broken Canary,no\n"
    "5,Maybe Canary,perhaps\n2,Quillon Canary,no\n"
)
ACCOUNTS = (
    "CANARY-1,1,9999.99,Savings\n"
    "CANARY-2,2,10000.00,Savings\n"
    "CANARY-3,3,20000.00,savings\n"
    "CANARY-4,1,500.00,Checking\n"
    "CANARY-5,9,1.00,Savings\n"
    "CANARY-6,5,7.77,Savings\n"
    "CANARY-7,2,-3.001,Gold\n"
    "CANARY-8,2,oops,Savings\n"
    "CANARY-3,3,20000.00,savings\n"
    "CANARY-9,2\n"
)
CHECKS = (
    CheckResult("rows_add_up", "delivery_ledger", True, "error", "Every row is somewhere."),
    CheckResult("customers_have_a_name", "stg_customers__cleaned", False, "warn", "", 12),
)


@pytest.fixture(scope="module")
def processed(new_workspace: Callable[[str], Workspace]) -> Iterator[Workspace]:
    """A workspace in which two deliveries were processed."""
    workspace = new_workspace("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workspace.root)
        workspace.deliver("1,Zebedee Canary,yes\n", "CANARY-1,1,100.00,Savings\n", BEFORE)
        workspace.deliver(CUSTOMERS, ACCOUNTS)
        assert workspace.run_range(BEFORE, AS_OF).outcomes == {"success"}
        yield workspace


@pytest.fixture
def warehouse(processed: Workspace) -> Iterator[Warehouse]:
    opened = choose_warehouse(processed.settings())
    with opened.session(read_only=True):
        yield opened


@pytest.fixture
def page(warehouse: Warehouse, tmp_path: Path) -> Page:
    written = write_report(warehouse, tmp_path / "report.html", CHECKS, "USD")
    return Page(written.path.read_text(encoding="utf-8"))


def _ledger(warehouse: Warehouse, day: dt.date = AS_OF) -> DeliveryLedger:
    ledger = read_ledger(warehouse, day)
    assert ledger is not None
    return ledger


def test_the_headline_numbers_are_those_of_the_delivery(page: Page) -> None:
    assert page.row("All savings accounts") == [
        "All savings accounts", "3", "39,999.99", "700.00", "40,699.99",
    ]  # fmt: skip
    assert "<dt>Annual interest</dt><dd>700.00</dd>" in page.text
    assert "Delivery of 31 January 2026" in page.text
    assert "Every record and every cent is accounted for." in page.text


def test_each_stage_has_the_rows_and_money_of_the_ledger(page: Page, warehouse: Warehouse) -> None:
    ledger = _ledger(warehouse)
    numbers = [row[1:] for row in page.rows]
    for (source_file, _), entry in ledger.entries.items():
        share = Decimal(entry.row_count * 100) / ledger.rows(source_file, "records")
        expected = [str(entry.row_count), f"{share:.1f} %"]
        if entry.balance is not None:
            expected += [f"{entry.balance:,.2f}", str(entry.balance_unknown or "")]
        assert expected in numbers, entry

    assert page.row("Published savings, with interest")[1:] == ["3", "30.0 %", "39,999.99", ""]
    assert page.row("Rejected not readable as a record", "1", "10.0 %")[3:] == ["0.00", "1"]


def test_balances_and_interest_stand_by_tier(page: Page) -> None:
    assert page.row("below 10,000", "without")[2:] == ["1.0 %", "0", "0.00", "0.00", "0.00"]
    assert page.row("with", "1.5 %")[2:] == ["1", "9,999.99", "150.00", "10,149.99"]
    assert page.row("20,000 and more", "without")[3:] == ["1", "20,000.00", "400.00", "20,400.00"]


def test_a_reason_shows_where_its_records_stand_and_their_other_reasons(page: Page) -> None:
    assert page.row("Balance negative", "1") == ["Balance negative", "1", "", "1"]
    meaning = page.row("Balance negative balance_negative")
    assert meaning[3] == (
        "accounts.csv, record 7 also: Account type not recognised, "
        "Balance with a fraction of a cent"
    )
    fields = page.row("Wrong number of fields record_wrong_number_of_fields")
    assert fields[3] == "accounts.csv, line 11"


def test_the_page_holds_nothing_of_the_records(page: Page) -> None:
    for secret in ("canary", "zebedee", "ottoline", "oops", "3.001", "perhaps", "gold"):
        assert secret not in page.text.lower()


def test_the_charts_draw_the_numbers_of_the_tables(page: Page) -> None:
    (data,) = page.blocks["data"]
    charts = json.loads(data)
    stages = {node["id"]: node for node in charts["accounts-rows"]["nodes"]}

    assert stages["published"]["value"] == 3
    assert charts["tier-interest"]["series"][0]["texts"] == ["0.00", "150.00", "400.00"]
    assert charts["comparison"]["series"][0]["texts"] == ["100.00", "0.00", "0.00"]
    canvases = {value for tag, name, value in page.attributes if (tag, name) == ("canvas", "id")}
    assert canvases == charts.keys()


def test_a_second_delivery_is_compared_with_the_first(page: Page) -> None:
    assert page.row("Annual interest", "1.50") == [
        "Annual interest", "1.50", "700.00", "+698.50 (+46,566.7 %)",
    ]  # fmt: skip
    assert "Compared with the delivery of 30 January 2026" in page.text


def test_accounts_that_changed_stand_by_kind_with_their_money(page: Page) -> None:
    # CANARY-1 has another balance in the same tier; CANARY-2, -3 and -4 are new.
    (changes,) = [row for row in page.rows if row[:2] == ["Opened", "3"] and len(row) == 5]
    assert changes == ["Opened", "3", "0.00", "30,500.00", "+30,500.00"]
    (changed,) = [row for row in page.rows if row[:1] == ["Another balance"] and len(row) == 5]
    assert changed[1:4] == ["1", "100.00", "9,999.99"]
    for unchanged in ("Closed", "Another loan flag of the customer", "Another interest tier"):
        assert page.row(unchanged)[1:] == ["0", "0.00", "0.00", "no change"]


def test_what_changed_and_what_needs_a_decision_stand_on_the_first_screen(page: Page) -> None:
    first, _, rest = page.text.partition("<details")

    assert page.row("Opened", "3", "+30,500.00")
    assert page.row("Another balance", "1", "+9,899.99")
    assert "Closed" not in first
    # The warning with its number, and what the sender has to mend.
    assert "12 found" in first
    assert "7 records excluded" in first
    assert "What needs a decision" in first
    assert "<summary><h2>Checks</h2></summary>" in rest


def test_amounts_say_their_currency_and_a_new_balance_what_it_is(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    written = write_report(warehouse, tmp_path / "report.html", CHECKS, "EUR")

    text = written.path.read_text(encoding="utf-8")
    assert "All amounts are in EUR." in text
    assert "USD" not in text
    assert "original balance + annual interest" in text


def test_a_first_delivery_is_compared_with_nothing(warehouse: Warehouse) -> None:
    text = render(read_report(warehouse, _ledger(warehouse), None, CHECKS, "USD"))

    assert "Compared with" not in text
    assert "30 January 2026" not in text


def test_a_report_that_would_contradict_the_ledger_is_not_made(warehouse: Warehouse) -> None:
    ledger = _ledger(warehouse)
    published = dataclasses.replace(ledger.entries["accounts.csv", "published"], row_count=4)
    entries = {**ledger.entries, ("accounts.csv", "published"): published}

    with pytest.raises(OutputError, match="--as-of 2026-01-31"):
        read_report(warehouse, dataclasses.replace(ledger, entries=entries), None, (), "USD")


def test_a_ledger_that_does_not_close_is_not_praised(warehouse: Warehouse) -> None:
    ledger = dataclasses.replace(_ledger(warehouse), is_closed=False)

    text = render(read_report(warehouse, ledger, None, (), "USD"))

    assert "The ledger does not close." in text
    assert "accounted for." not in text


def test_what_did_not_pass_comes_first(page: Page) -> None:
    results = [row[0] for row in page.rows if row and row[0][:1] in ("!", "✓")]

    assert results == ["! Warning 12 found", "✓ Passed"]
    assert "1 of 2 passed." in page.text


def test_the_same_data_gives_the_same_bytes(warehouse: Warehouse, tmp_path: Path) -> None:
    first = write_report(warehouse, tmp_path / "first.html", CHECKS, "USD")
    second = write_report(warehouse, tmp_path / "second.html", CHECKS, "USD")

    assert first.sha256 == second.sha256
    assert first.size_bytes < 1_000_000


def test_nothing_is_loaded_from_anywhere(page: Page) -> None:
    links = [value for _, name, value in page.attributes if name in ("src", "href", "action")]
    assert all(value.startswith("#") for value in links)
    assert not {name for _, name, _ in page.attributes if name == "style" or name[:2] == "on"}
    code = re.sub(r"/\*.*?\*/", "", "".join(page.blocks["script"]), flags=re.DOTALL)
    own = page.text
    for script in page.blocks["script"]:
        own = own.replace(script, "")
    for text in (code, own):
        assert not re.search(r"https?://|@import|url\(|sourceMappingURL", text)


def test_the_policy_allows_exactly_what_stands_in_the_page(page: Page) -> None:
    (policy,) = [value for _, _, value in page.attributes if "default-src" in value]

    def hashes(blocks: list[str]) -> list[str]:
        digests = [hashlib.sha256(block.encode()).digest() for block in blocks]
        return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]

    assert len(page.blocks["script"]) == 3
    assert policy == (
        f"default-src 'none'; script-src {' '.join(hashes(page.blocks['script']))}; "
        f"style-src {' '.join(hashes(page.blocks['style']))}; base-uri 'none'; form-action 'none'"
    )


def test_hostile_texts_are_shown_as_text(warehouse: Warehouse) -> None:
    attack = "</script><script>alert(1)</script>"
    read = read_report(warehouse, _ledger(warehouse), None, [], "USD")
    example = Example(attack, 1, None, (attack, "balance_negative"))
    hostile = dataclasses.replace(
        read,
        reasons=(ReasonCount(attack, {attack: 1, "accounts.csv": 1}, (example,)),),
        checks=(CheckResult(attack, attack, False, "error", attack),),
    )

    page = Page(render(hostile))

    assert len(page.blocks["script"]) == 3
    assert attack not in page.text
    assert json.loads(page.blocks["data"][0])["reasons"]["labels"] == [attack.capitalize()]


@pytest.mark.exhaustive
def test_a_delivery_without_any_usable_record_has_a_report(
    workspace: Workspace, tmp_path: Path
) -> None:
    workspace.deliver("x,Nobody,no\n", "<script>alert(1)</script>,1,-1,Savings\n")
    assert workspace.run().outcome == "success"
    warehouse = choose_warehouse(workspace.settings())
    with warehouse.session(read_only=True):
        written = write_report(warehouse, tmp_path / "report.html", (), "USD")
    page = Page(written.path.read_text(encoding="utf-8"))

    assert page.row("All savings accounts")[1:] == ["0", "0.00", "0.00", "0.00"]
    assert "No savings account was published" in page.text
    assert "No check results were handed to this report." in page.text
    assert "tier-balance" not in json.loads(page.blocks["data"][0])


def test_the_embedded_libraries_are_those_that_were_published() -> None:
    assets = files(report_package).joinpath("assets")
    listed = re.findall(
        r"^\| `([\w.-]+)` \|.*`([0-9a-f]{64})` \|$",
        assets.joinpath("README.md").read_text(),
        re.MULTILINE,
    )

    assert len(listed) == 2
    for name, sha256 in listed:
        assert hashlib.sha256(assets.joinpath(name).read_bytes()).hexdigest() == sha256


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs a browser")
def test_a_browser_draws_every_chart(warehouse: Warehouse, tmp_path: Path) -> None:
    written = write_report(warehouse, tmp_path / "report.html", CHECKS, "USD")

    page = Page(dumped(written.path, tmp_path))
    assert "open" not in {name for tag, name, _ in page.attributes if tag == "details"}

    charts = json.loads(page.blocks["data"][0])
    drawn = [value for tag, name, value in page.attributes if (tag, name) == ("canvas", "style")]
    assert len(drawn) == len(charts) == 7


@pytest.mark.exhaustive
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs a browser")
def test_no_page_is_wider_than_its_window(warehouse: Warehouse, tmp_path: Path) -> None:
    write_report(warehouse, tmp_path / "report.html", CHECKS, "USD")
    frames = "".join(
        f'<iframe src="report.html#all" style="width: {width}px; height: 900px; border: 0">'
        "</iframe>"
        for width in (320, 390, 660, 700, 768, 820, 1024, 1280)
    )
    shell = tmp_path / "shell.html"
    shell.write_text(
        f"<body>{frames}<script>onload = () => setTimeout(() => {{ document.title = "
        "[...document.querySelectorAll('iframe')].map((it) => `${it.clientWidth}:"
        "${it.contentDocument.documentElement.scrollWidth}`).join(' '); }, 500);</script>"
    )

    shown = dumped(shell, tmp_path)

    (measured,) = re.findall(r"<title>([\d: ]+)</title>", shown)
    for window, page in (pair.split(":") for pair in measured.split()):
        assert int(page) <= int(window)


@pytest.mark.exhaustive
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs a browser")
@pytest.mark.parametrize("times", [1, 702, 987_654_321])
def test_what_is_written_behind_a_bar_is_never_cut_off(
    warehouse: Warehouse, tmp_path: Path, times: int
) -> None:
    text = write_report(warehouse, tmp_path / "report.html", CHECKS, "USD").path.read_text("utf-8")
    (data,) = Page(text).blocks["data"]
    figures = json.loads(data)
    for series in figures["reasons"]["series"]:
        series["values"] = [value * times for value in series["values"]]
    (tmp_path / "many.html").write_text(text.replace(data, json.dumps(figures)), encoding="utf-8")
    most = max(map(sum, zip(*(it["values"] for it in figures["reasons"]["series"]), strict=True)))
    frames = "".join(
        f'<iframe src="many.html#all" style="width: {width}px; height: 900px; border: 0"></iframe>'
        for width in (400, 820, 1100, 1600)
    )
    shell = tmp_path / "shell.html"
    shell.write_text(
        f"""<body>{frames}<script>
        const beyond = ({{ contentWindow: {{ Chart }} }}) => {{
          const chart = Chart.getChart("reasons");
          const bars = chart.getSortedVisibleDatasetMetas().flatMap((it) => it.data);
          chart.ctx.font = Chart.helpers.toFont({{ size: 12 }}).string;
          const label = chart.ctx.measureText("{most:,.0f}").width;
          return Math.ceil(Math.max(...bars.map((it) => it.x)) + 6 + label - chart.width);
        }};
        onload = () => setTimeout(() => {{
          document.title = [...document.querySelectorAll("iframe")].map(beyond).join(" ");
        }}, 500);
        </script>"""
    )

    (measured,) = re.findall(r"<title>([-\d ]+)</title>", dumped(shell, tmp_path))

    assert len(measured.split()) == 4
    assert all(int(pixels) <= 0 for pixels in measured.split()), measured


def test_the_name_of_an_encoding_stays_on_one_line(warehouse: Warehouse) -> None:
    report = read_report(warehouse, _ledger(warehouse), None, [], "USD")
    unreadable = ReasonCount("record_not_utf8", {"accounts.csv": 1}, ())

    text = render(dataclasses.replace(report, reasons=(unreadable,)))

    assert 'bytes that are not text in <span class="whole">UTF-8</span>.</td>' in text
    assert 'Export the file in the <span class="whole">UTF-8</span> encoding.</td>' in text
