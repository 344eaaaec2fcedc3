"""Dirt of every kind, as constants to combine and as hypothesis strategies.

Everything the model has an opinion on is here: what it accepts in unusual spelling, what it
quarantines, what it rejects, and what makes it refuse a file.
"""

import string
from collections.abc import Sequence
from itertools import product

from hypothesis import strategies as st

CUSTOMER_COLUMNS = ("CustomerID", "Name", "HasLoan")
ACCOUNT_COLUMNS = ("AccountID", "CustomerID", "Balance", "AccountType")
BOM = b"\xef\xbb\xbf"
LINE_ENDS = (b"\n", b"\r\n", b"\r")

WHITE_SPACE = tuple(
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
# Looks like nothing, but is no white space: zero width, controls, a BOM in the middle of a text.
INVISIBLE = tuple("\u180e\u200b\u200c\u200d\u2060\ufeff\x00\x1c\x1f\x7f")
FULL_WIDTH = str.maketrans(string.digits, "０１２３４５６７８９")
KELVIN, I_WITH_DOT = "\u212a", "\u0130"

_PADDED = tuple(
    text
    for space in (*WHITE_SPACE, *INVISIBLE)
    for text in (f"{space}%s", f"%s{space}", f"{space}{space}%s ")
)

CUSTOMER_IDS = (
    *("1", "2", "10", "007", "0" * 30 + "7", "9223372036854775807", "09223372036854775807"),
    *("", " ", "\u3000\u2028", "0", "00", "-1", "+1", "-0", "1.0", "1.", "1e3", "1,000", "1_0"),
    *("9223372036854775808", "18446744073709551616", "1" * 5000, "0x1", "1 0", "NULL", "N/A"),
    *("12".translate(FULL_WIDTH), "٣", "²", "Ⅳ", "1\x00", "1\u200b", '"1"', "#1", "1 #", "1\n"),
)
NAMES = (
    *("Ada", "ADA", "ada", " Ada ", "Ada  Lovelace", "Ada\u3000\u2028Lovelace", "ada lovelace"),
    *(
        "",
        " ",
        "\x85",
        "NULL",
        "N/A",
        "O'Neill",
        'say "hi"',
        "Smith, John",
        "# 1",
        "a\nb",
        "a\r\nb",
    ),
    *("ΣΑΣ", "σας", "σασ", f"{I_WITH_DOT}", "i", "i\u0307", f"{KELVIN}", "k", "ß", "ẞ", "SS", "Ǆ"),
    *(
        "é",
        "e\u0301",
        "\u200b",
        "a\u200bb",
        "ab",
        "\x00",
        "a\x00b",
        "𐐀",
        "𐐨",
        "😀",
        "a\\b",
        "'",
        "--",
    ),
)
LOANS = (
    *("yes", "y", "true", "1", "no", "n", "false", "0", "none", "", "Yes", "No", "None", "YES"),
    *("TRUE", "Y", "N", "nOnE", " yes ", "\u2003no\xa0", "\u3000", "tRuE\t"),
    *(
        "t",
        "f",
        "on",
        "2",
        "01",
        "ja",
        "yes.",
        "NULL",
        "N/A",
        "no ne",
        "１",
        "ye\u017f",
        "#",
        "y,n",
    ),
    *(
        "\u200b",
        "yes\u200b",
        "\x00",
        "yes\x00",
        "ｙｅｓ",
        "y\ny",
        '"yes"',
        "false.",
        "-1",
        "unknown",
    ),
)
ACCOUNT_IDS = (
    *(
        "A1",
        "a1",
        "A1 ",
        "\u2003A1",
        "Ａ1",
        "A\u200b1",
        "A 1",
        "A  1",
        "",
        " ",
        "\u2029",
        "0",
        "00",
    ),
    *("#1", 'q"q', "a,b", "a\nb", "a\rb", "\x00", "é", "e\u0301", "Z", "z", "~", "😀", "\uffff"),
)
ACCOUNT_TYPES = (
    *("Savings", "savings", "SAVINGS", " sAvInGs\xa0", "Checking", "checking", "CHECKING\t"),
    *(
        "",
        " ",
        "\u2007",
        "Saving",
        "savings.",
        "sav ings",
        "Chec\u212aing",
        "\u017favings",
        "check",
    ),
    *("Savings\x00", "\u200bSavings", "NULL", "N/A", "#", "a,b", '"Savings"', "Ｓavings"),
)
_AMOUNTS = (
    *("0", "0.00", "0.01", "1", "1.5", "1.50", "1.500", "0.005", "0.004", "1.005", "0.010"),
    *("9999.99", "10000", "10000.00", "19999.99", "20000", "20000.00", "10000.001", "9999.990"),
    # Half a cent of interest, at each rate with and without a loan, and the cents around it.
    *("0.49", "0.50", "0.51", "1.50", "0.33", "0.34", "1.00", "2.50", "33.33", "33.34"),
    *("10000.33", "10000.34", "10000.66", "10000.67", "10001.00", "10002.50", "10000.20"),
    *("20000.20", "20000.24", "20000.25", "20000.26", "20000.60", "20000.75", "20001.00"),
    *("12345678901234.56", "99999999999999.99", "100000000000000.00", "123456789012345.67"),
    *("999999999999999", "999999999999999.99", "999999999999999.990", "0999999999999999.99"),
    *("999999999999999.991", "999999999999999.999", "1000000000000000", "1000000000000000.00"),
    *("9999999999999999.99", "1" + "0" * 30, "9" * 400, "0" * 40 + "1.10", "1." + "0" * 400),
    *("1,234", "1,234.50", "12,345", "123,456.78", "1,234,567.89", "999,999,999,999,999.99"),
    *("1,000,000,000,000,000", "0,001", "000,000.00", "001,234"),
)
_NO_AMOUNTS = (
    *("1,23", "1234,567", ",123", "123,", "1,,234", "1,2345", "1,234,56", "0.1,234", "1.234,50"),
    *(".5", "5.", ".", ",", "+5", "5-", "(5)", "1e3", "1E3", "0x10", "1_000", "1 000", "1.2.3"),
    *("NaN", "inf", "Infinity", "NULL", "N/A", "-", "$", "-$", "$-", "--5", "$$5", "-$-5", "5$"),
    *(
        "$ 5",
        "- 5",
        "- $5",
        "$ -5",
        "€5",
        "5 USD",
        "12".translate(FULL_WIDTH),
        "٣",
        "1\u200b",
        "1\x00",
    ),
    *(
        "\u22125",
        "\uff0d5",
        "1\uff0e5",
        "1\u00a0000",
        "1'000",
        "#5",
        '"5"',
        "1\n2",
        "1\r\n2",
        "true",
    ),
)
_SIGNS = ("", "-", "$", "-$", "$-")
BALANCES = (
    *("", " ", "\u3000", "\t\r\n "),
    *(sign + amount for sign in _SIGNS for amount in _AMOUNTS),
    *_NO_AMOUNTS,
)


def padded(texts: Sequence[str]) -> tuple[str, ...]:
    """Each text with each kind of padding, one after the other."""
    return tuple(padding.replace("%s", text) for padding in _PADDED for text in texts)


def as_record(fields: Sequence[str]) -> str:
    """Fields as a record that splits into just these fields."""
    return ",".join(
        '"' + text.replace('"', '""') + '"' if _needs_quotes(text) else text for text in fields
    )


def _needs_quotes(text: str) -> bool:
    return any(it in text for it in ',"\r\n')


# Everything below is bytes of records: {end} stands for the line end of the file.
GOOD_QUOTING = (
    *('"%s"', ' "%s"', '"%s" ', '   "%s"  ', '"%s""%s"', '"""%s"""', '"%s, %s"', '" %s "'),
    *(
        '"%s\n%s"',
        '"%s\r\n%s"',
        '"%s\r%s"',
        '"\n\n%s\r\r\r\n"',
        '"\r"',
        '""',
        '   ""  ',
        '"""" ""%s"""',
    ),
    *('%s"%s"', '%s"', '%s "%s"', "'%s'", '\t"%s"', '\u3000"%s"', '\\"%s\\"', "#%s", " %s ", "  "),
)
BROKEN_QUOTING = (
    *('"%s"%s', '"%s" %s', '"%s" "%s"', '"%s""%s"%s', '  "%s"\t', '""%s', '"" ""', '"%s"\x00'),
    *('"%s"""%s" "', '"%s"%s"', '"%s"\\"'),
)
BAD_UTF8 = (
    *(b"\xff", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf5\x80\x80\x80", b"a\x80b"),
    *(b'"\xff"', b'"\xff\n\n\xe2\x82"', b"\xf0\x9f\x98", b"\xe2\x82,", b"?\xff?"),
)


def shaped(text: str, shapes: Sequence[str]) -> tuple[bytes, ...]:
    """A text in several kinds of quoting."""
    return tuple(shape.replace("%s", text).encode() for shape in shapes)


def _some(texts: Sequence[str]) -> st.SearchStrategy[str]:
    """Mostly a text as it is, sometimes padded."""
    return st.one_of(st.sampled_from(texts), st.sampled_from(texts), st.sampled_from(padded(texts)))


KNOWN_IDS = ("1", "2", "3", "04", "5 ", "9223372036854775807")
customer_ids = st.one_of(
    st.sampled_from(KNOWN_IDS), st.integers(1, 60).map(str), _some(CUSTOMER_IDS)
)
account_ids = st.one_of(
    st.integers(1, 400).map(str), st.integers(1, 400).map(str), _some(ACCOUNT_IDS)
)
names = st.one_of(_some(NAMES), st.sampled_from(("Ada", " ADA")))
loans = st.one_of(st.sampled_from(LOANS[:22]), _some(LOANS))
cents = st.integers(0, 3_000_000).map(lambda it: f"{it // 100}.{it % 100:02}")
balances = st.one_of(cents, st.sampled_from(_AMOUNTS), _some(BALANCES))
account_types = st.one_of(st.sampled_from(ACCOUNT_TYPES[:3]), _some(ACCOUNT_TYPES))

customers = st.tuples(customer_ids, names, loans)
accounts = st.tuples(account_ids, customer_ids, balances, account_types)

_PIECES = (
    *shaped("x", GOOD_QUOTING),
    *shaped("x", BROKEN_QUOTING),
    *BAD_UTF8,
    b"x",
    b"1",
    b"",
    b"x",
)
_odd_records = st.lists(st.sampled_from(_PIECES), min_size=1, max_size=6).map(b",".join)


@st.composite
def headers(draw: st.DrawFn, columns: Sequence[str]) -> tuple[bytes, list[int]]:
    """A header that is accepted, and which of the columns stands where (-1 for an extra one)."""
    order = draw(st.permutations(range(len(columns))))
    places = [*order, *([-1] * draw(st.sampled_from((0, 0, 0, 1, 2))))]
    if len(places) > len(columns):
        places = draw(st.permutations(places))
    case = draw(st.sampled_from((str, str.lower, str.upper, str.swapcase)))
    padding = draw(st.sampled_from(("%s", "%s", " %s ", "\t%s\u3000", '"%s"', ' "%s" ', '" %s\n"')))
    extra = iter(draw(st.permutations(("Branch", "", "Kelvin \u212a", "", "Note, with comma"))))
    texts = [case(columns[at]) if at >= 0 else as_record([next(extra)]) for at in places]
    written = (padding.replace("%s", it) if '"' not in it else it for it in texts)
    return ",".join(written).encode(), list(places)


@st.composite
def files(
    draw: st.DrawFn, columns: Sequence[str], rows: st.SearchStrategy[tuple[str, ...]]
) -> bytes:
    """A file that may hold every kind of record."""
    header, places = draw(headers(columns))
    is_plain = draw(st.booleans())
    records = [header]
    for row in draw(st.lists(rows, min_size=1, max_size=250)):
        fields = [row[at] if at >= 0 else "x" for at in places]
        records.append(as_record(fields).encode())
    if not is_plain:
        for odd in draw(st.lists(_odd_records, max_size=12)):
            records.insert(draw(st.integers(1, len(records))), odd)
        for _ in range(draw(st.integers(0, 3))):
            records.insert(draw(st.integers(0, len(records))), b"")
    return finished(draw, records)


def finished(draw: st.DrawFn, records: Sequence[bytes]) -> bytes:
    """Records as a file, with one kind of line end and perhaps a BOM."""
    line_end = draw(st.sampled_from(LINE_ENDS))
    last = draw(st.sampled_from((line_end, b"")))
    return draw(st.sampled_from((b"", BOM))) + line_end.join(records) + last


customer_files = files(CUSTOMER_COLUMNS, customers)
account_files = files(ACCOUNT_COLUMNS, accounts)
deliveries = st.tuples(customer_files, account_files)

_ATOMS = (
    *(b"x", b"x", b",", b",", b",", b'"', b'"', b'""', b" ", b"  ", b"\n", b"\n", b"\r\n", b"\r"),
    *(b"\x00", b"\xff", b"\xc3\xa9", b"#", b"\\", b"'", b'"x"', b'"x\n\ny"', b"x,x,x\n", b"\t"),
)
# Hardly a file at all: what splits, what does not and what is refused must still be agreed on.
wild_bodies = st.lists(st.sampled_from(_ATOMS), max_size=40).map(b"".join)
wild_files = st.tuples(
    st.sampled_from((b"", b"", b"", BOM, b"\n", b"\r\n\r\n")),
    st.sampled_from(
        (
            *(b"CustomerID,Name,HasLoan", b"CustomerID,Name,HasLoan", b"name,hasloan,customerid"),
            *(b'CustomerID,Name,HasLoan,"Ex\ntra"', b' "CustomerID" ,Name,HasLoan,Extra,'),
            *(b"CustomerID,Name", b"CustomerID;Name;HasLoan", b"CustomerID,Name,HasLoan,name"),
        )
    ),
    st.sampled_from((b"\n", b"\n", b"\n", b"\r\n", b"\r", b"")),
    wild_bodies,
).map(b"".join)


def every_customer() -> list[tuple[str, ...]]:
    """Customers: each spelling of each field, and each pair of spellings under one id."""
    rows: list[tuple[str, ...]] = [(text, "Ada", "yes") for text in padded(CUSTOMER_IDS)]
    unused = iter(range(1_000, 1_000_000))
    rows += [(str(next(unused)), name, loan) for name, loan in product(NAMES, LOANS)]
    rows += [(str(next(unused)), "Ada", loan) for loan in padded(LOANS)]
    for pair in product(product(NAMES[:32:2], LOANS[:22:3]), repeat=2):
        customer = next(unused)
        (first, had), (second, has) = pair
        rows += [(str(customer), first, had), (f" 0{customer}", second, has)]
    return rows


def every_account() -> list[tuple[str, ...]]:
    """Accounts: each spelling of each field, and each pair of spellings under one id."""
    # A customer with a loan, one without, one unknown, one quarantined, one unreadable.
    owners = ("31", "32", "33", "34", "1.0")
    unused = iter(range(1_000_000))
    rows: list[tuple[str, ...]] = [
        (f"B{next(unused)}", owner, balance, kind)
        for owner, balance, kind in product(owners, BALANCES, ("Savings", "checking", "x"))
    ]
    rows += [(f"B{next(unused)}", "31", balance, "savings") for balance in padded(BALANCES)]
    rows += [(f"B{next(unused)}", "32", "1", kind) for kind in padded(ACCOUNT_TYPES)]
    rows += [(f"B{next(unused)}", owner, "1", "Savings") for owner in padded(CUSTOMER_IDS)]
    rows += [(text, "31", "1", "Savings") for text in padded(ACCOUNT_IDS)]
    for pair in product(BALANCES[4:120:3], repeat=2):
        account = f"C{next(unused)}"
        rows += [
            (account, "31", pair[0], "Savings"),
            (f"\u2003{account}", "031", pair[1], "SAVINGS"),
        ]
    for pair in product(product(owners, ACCOUNT_TYPES), repeat=2):
        account = f"D{next(unused)}"
        rows += [(account, owner, "10000.34", kind) for owner, kind in pair]
    return rows


def every_case() -> tuple[bytes, bytes]:
    """One delivery with all of them."""
    owners = [("31", "Grace", "yes"), ("32", "Alan", "no"), ("34", "Edsger", "maybe")]
    rejected = [
        *(shape + b",x,yes" for shape in shaped("x", BROKEN_QUOTING)),
        *(b"x," + shape + b",yes" for shape in BAD_UTF8),
        *(b"x", b"x,x", b",", b",,,", b"x,x,yes,", b" ", b'"x\n\n\ny"', b'"x\n\r\ny",,,,', b"\x00"),
    ]
    landed = [shape + b",x,yes" for shape in shaped("77", GOOD_QUOTING)]
    customer_records = [as_record(row).encode() for row in (*owners, *every_customer())]
    account_records = [as_record(row).encode() for row in every_account()]
    return (
        b"\n".join([b"CustomerID,Name,HasLoan", *customer_records, *landed, *rejected, b""]),
        b"\n".join([b"AccountID,CustomerID,Balance,AccountType", *account_records, b""]),
    )
