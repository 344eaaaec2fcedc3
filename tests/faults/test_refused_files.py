"""Files that the model refuses: a line says what and where, and what was landed stays."""

import gzip

import pyarrow as pa
import pytest

from lending_club_pipeline.runs import doctor
from tests.faults.landings import ACCOUNTS, CUSTOMERS, Landing


@pytest.mark.parametrize(
    ("content", "code", "line", "column", "said"),
    [
        pytest.param(b"", "file_empty", None, None, "is empty", id="empty"),
        pytest.param(b"\n\r\n\n", "file_empty", None, None, "is empty", id="only empty lines"),
        pytest.param(b"\xef\xbb\xbf", "file_empty", None, None, "is empty", id="only a BOM"),
        pytest.param(
            b"CustomerID,Name,HasLoan\n", "header_only", None, None, "no record", id="header only"
        ),
        pytest.param(
            b"CustomerID,Name\n1,Ada\n",
            "column_missing", 1, "HasLoan", "it has CustomerID, Name",
            id="missing column",
        ),
        pytest.param(
            b"\n\nCustomerID,Loan,HasLoan\n1,Ada,yes\n",
            "column_missing", 3, "Name", "it has CustomerID, Loan, HasLoan",
            id="missing column below empty lines",
        ),
        pytest.param(
            b"1,Ada,yes\n2,Grace,no\n",
            "column_missing", 1, None, "none of CustomerID, Name, HasLoan",
            id="no header",
        ),
        pytest.param(
            b"CustomerID,Name,HasLoan, name\n1,Ada,yes,Grace\n",
            "column_duplicate", 1, "Name", "2 columns have this name",
            id="duplicate column",
        ),
        pytest.param(
            b"CustomerID,Name,HasLoan,Note,Note\n1,Ada,yes,x,y\n",
            "column_duplicate", 1, "Note", "2 columns have this name",
            id="duplicate extra column",
        ),
        pytest.param(
            b"CustomerID;Name;HasLoan\n1;Ada;yes\n",
            "wrong_delimiter", 1, None, "semicolon",
            id="semicolons",
        ),
        pytest.param(
            b'"CustomerID";"Name";"HasLoan"\n"1";"Ada";"yes"\n',
            "wrong_delimiter", 1, None, "semicolon",
            id="semicolons between quotes",
        ),
        pytest.param(
            b"CustomerID\tName\tHasLoan\n1\tAda\tyes\n",
            "wrong_delimiter", 1, None, "tab",
            id="tabs",
        ),
        pytest.param(
            CUSTOMERS.decode().encode("utf-16"), "not_utf8", None, None, "UTF-16", id="UTF-16"
        ),
        pytest.param(
            CUSTOMERS.decode().encode("utf-16-le"),
            "not_utf8", None, None, "UTF-16",
            id="UTF-16 without mark, little end first",
        ),
        pytest.param(
            CUSTOMERS.decode().encode("utf-16-be"),
            "not_utf8", None, None, "UTF-16",
            id="UTF-16 without mark, big end first",
        ),
        pytest.param(
            "CustomerID,Name,HasLoan,Größe\n1,Ada,yes,3\n".encode("latin-1"),
            "header_not_utf8", 1, None, "not valid UTF-8",
            id="header in Latin-1",
        ),
        pytest.param(
            gzip.compress(CUSTOMERS),
            "compressed", None, None, "compressed by gzip",
            id="gzip without saying so",
        ),
        pytest.param(
            pa.compress(CUSTOMERS, codec="zstd", asbytes=True),
            "compressed", None, None, "compressed by zstd",
            id="zstd without saying so",
        ),
        pytest.param(
            b'CustomerID,"Name,HasLoan\n1,Ada,yes\n',
            "header_broken", 1, None, "never closed",
            id="open quote in the header",
        ),
        pytest.param(
            CUSTOMERS + b"3,Alan,none\r\n4,Emmy,no\n",
            "mixed_line_ends", 4, None, "LF, CRLF, CR",
            id="CRLF among LF",
        ),
        pytest.param(
            CUSTOMERS.replace(b"\n", b"\r\n") + b"3,Alan,none\n",
            "mixed_line_ends", 4, None, "LF, CRLF, CR",
            id="LF among CRLF",
        ),
        pytest.param(
            CUSTOMERS + b"3,Al\ran,none\n",
            "mixed_line_ends", 4, None, "without quotes holds a carriage return",
            id="CR in a field without quotes",
        ),
        pytest.param(
            CUSTOMERS + b'3,"Alan,none\n4,Emmy,no\n5,Mary,yes\n',
            "quote_left_open", 4, None, "a quote opens on this line",
            id="open quote",
        ),
        pytest.param(
            CUSTOMERS + b'3,"Al\nan"x,none\n4,Emmy,no\n',
            "quote_left_open", 4, None, "a quote opens on this line",
            id="broken quoting over two lines",
        ),
        pytest.param(
            CUSTOMERS + b'3,"A\nB",no\n\n4,"Alan,none\n5,Emmy,no\n',
            "quote_left_open", 7, None, "a quote opens on this line",
            id="open quote behind a record of two lines and an empty line",
        ),
        pytest.param(
            CUSTOMERS + b'3,"Alan',
            "quote_left_open", 4, None, "may have been cut off",
            id="the file ends within quotes",
        ),
        pytest.param(
            CUSTOMERS + b'3,"Alan\n',
            "quote_left_open", 4, None, "may have been cut off",
            id="the file ends within quotes, with a line end",
        ),
        pytest.param(
            (CUSTOMERS + b'3,"A\rB",no\n4,"Alan').replace(b"\n", b"\r\n"),
            "quote_left_open", 5, None, "may have been cut off",
            id="a lone CR is no line of a CRLF file",
        ),
        pytest.param(
            (CUSTOMERS + b'3,"A\rB",no\n').replace(b"\n", b"\r\n") + b"4,Emmy,no\n",
            "mixed_line_ends", 5, None, "LF, CRLF, CR",
            id="LF among CRLF, behind a lone CR",
        ),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_trusted_is_refused(
    landing: Landing, content: bytes, code: str, line: int | None, column: str | None, said: str
) -> None:
    landing.customers.write_bytes(content)

    refusal = landing.refusal()

    assert refusal.code == code
    assert (refusal.place.path, refusal.place.line) == (landing.customers, line)
    assert refusal.place.column == column
    assert said in refusal.problem
    assert _problems_that_doctor_finds(landing) == [str(refusal)]


def _problems_that_doctor_finds(landing: Landing) -> list[str]:
    own = {name: landing.root / name for name in ("output_path", "dagster_home", "duckdb_path")}
    findings = doctor.preflight_checks({"input_path": landing.inputs, **own})
    return [finding.detail for finding in findings if finding.verdict == "problem"]


def test_the_other_file_is_held_to_the_same_rules(landing: Landing) -> None:
    landing.accounts.write_bytes(ACCOUNTS.replace(b"Balance", b"Amount"))

    refusal = landing.refusal()

    assert refusal.code == "column_missing"
    assert str(refusal.place) == f"{landing.accounts}, line 1, column Balance"


def test_an_error_shows_nothing_of_a_record_that_stands_where_the_header_should(
    landing: Landing,
) -> None:
    landing.customers.write_bytes(b"1,Lovelace,Lovelace\n2,Hopper,no\n")

    assert "Lovelace" not in str(landing.refusal())


def test_a_quote_left_open_in_30_megabytes_is_found_on_its_line(landing: Landing) -> None:
    records = [b"%d,Some Name Or Other,yes\n" % number for number in range(1_100_000)]
    records[567_890] = b'567890,"Some Name Or Other,yes\n'
    landing.customers.write_bytes(b"CustomerID,Name,HasLoan\n" + b"".join(records))
    assert landing.customers.stat().st_size > 30 * 10**6

    refusal = landing.refusal()

    assert refusal.code == "quote_left_open"
    assert refusal.place.line == 567_890 + 2
