"""Dirt of every kind, as constants to combine and as hypothesis strategies.

Everything the model has an opinion on is here: what it accepts in unusual spelling, what it
quarantines, what it rejects, and what makes it refuse a file.
"""

import random
from collections.abc import Iterator, Sequence
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
FULL_WIDTH = str.maketrans({chr(it): chr(it + 0xFEE0) for it in range(ord("!"), ord("~") + 1)})
KELVIN, LONG_S = "\u212a", "\u017f"
CAPITAL_I_WITH_DOT = "\u0130"
SIGMAS = ("\u03a3\u0391\u03a3", "\u03c3\u03b1\u03c2", "\u03c3\u03b1\u03c3")

_PADDINGS = tuple(
    padding
    for space in (*WHITE_SPACE, *INVISIBLE)
    for padding in (f"{space}%s", f"%s{space}", f"{space}{space}%s ")
)


def padded(texts: Sequence[str]) -> tuple[str, ...]:
    """Each text with each kind of padding."""
    return tuple(padding.replace("%s", text) for padding in _PADDINGS for text in texts)


def full_width(text: str) -> str:
    """A text in characters that only look like ASCII."""
    return text.translate(FULL_WIDTH)


_GOOD_CUSTOMER_IDS = ("1", "2", "10", "007", "0" * 30 + "7", str(2**63 - 1), f"0{2**63 - 1}")
CUSTOMER_IDS = (
    *_GOOD_CUSTOMER_IDS,
    *("", " ", "\u3000\u2028", "0", "00", "-1", "+1", "-0", "1.0", "1.", "1e3", "1,000", "1_0"),
    *(str(2**63), str(2**64 - 1), str(2**64 + 1), "1" * 5000, "0x1", "1 0", "NULL", "N/A"),
    *(full_width("12"), "\u0663", "\u00b2", "\u2163", "1\x00", "1\u200b", '"1"', "#1", "1\n2"),
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
    *(*SIGMAS, CAPITAL_I_WITH_DOT, "i", "i\u0307", KELVIN, "k", "ß", "\u1e9e", "SS", "\u01c4"),
    *(
        "é",
        "e\u0301",
        "\u200b",
        "a\u200bb",
        "ab",
        "\x00",
        "a\x00b",
        "\U00010400",
        "\U00010428",
        "\u1c89",
        "\U00016ea0",
    ),
    *("\U0001f600", "a\\b", "'", "--", full_width("Ada"), full_width("ada")),
)
_GOOD_LOANS = (
    *("yes", "y", "true", "1", "no", "n", "false", "0", "none", "", "Yes", "No", "None", "YES"),
    *("TRUE", "Y", "N", "nOnE", " yes ", "\u2003no\xa0", "\u3000", "tRuE\t"),
)
LOANS = (
    *_GOOD_LOANS,
    *("t", "f", "on", "2", "01", "ja", "yes.", "NULL", "N/A", "no ne", "#", "y,n", "-1", "unknown"),
    *(f"ye{LONG_S}", full_width("1"), full_width("yes"), "\u200b", "yes\u200b", "\x00", "yes\x00"),
    *("y\ny", '"yes"', "false."),
)
ACCOUNT_IDS = (
    *(
        "A1",
        "a1",
        "A1 ",
        "\u2003A1",
        full_width("A1"),
        "A\u200b1",
        "A 1",
        "A  1",
        "",
        " ",
        "\u2029",
    ),
    *("0", "00", "#1", 'q"q', "a,b", "a\nb", "a\rb", "\x00", "é", "e\u0301", "Z", "z", "~"),
    *("\U0001f600", "\uffff", "\ue000"),
)
_GOOD_TYPES = (
    "Savings",
    "savings",
    "SAVINGS",
    " sAvInGs\xa0",
    "Checking",
    "checking",
    "CHECKING\t",
)
ACCOUNT_TYPES = (
    *_GOOD_TYPES,
    *("", " ", "\u2007", "Saving", "savings.", "sav ings", f"Chec{KELVIN}ing", f"{LONG_S}avings"),
    *("check", "Savings\x00", "\u200bSavings", "NULL", "N/A", "#", "a,b", '"Savings"'),
    full_width("Savings"),
)
AMOUNTS = (
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
    *("$ 5", "- 5", "- $5", "$ -5", "\u20ac5", "5 USD", full_width("12"), "\u0663", "1\u200b"),
    *("\u22125", full_width("-5"), full_width("1.5"), "1\xa0000", "1'000", "#5", '"5"', "1\n2"),
    *("1\r\n2", "1\x00", "true", "\uff045"),
)
_SIGNS = ("", "-", "$", "-$", "$-")
BALANCES = (
    *("", " ", "\u3000", "\t\r\n "),
    *(sign + amount for sign in _SIGNS for amount in AMOUNTS),
    *_NO_AMOUNTS,
)

# How a text may stand in a file: as one field, as no field, as no text.
GOOD_QUOTING = (
    *('"%s"', ' "%s"', '"%s" ', '   "%s"  ', '"%s""%s"', '"""%s"""', '"%s, %s"', '" %s "', '""'),
    *(
        '"%s\n%s"',
        '"%s\r\n%s"',
        '"%s\r%s"',
        '"\n\n%s\r\r\r\n"',
        '"\r"',
        '   ""  ',
        '"""%s"" ""%s"""',
    ),
    *('%s"%s"', '%s"', '%s "%s"', "'%s'", '\t"%s"', '\u3000"%s"', '\\"%s\\"', "#%s", " %s ", "  "),
)
BROKEN_QUOTING = (
    *('"%s"%s', '"%s" %s', '"%s" "%s"', '"%s""%s"%s', '  "%s"\t', '""%s', '"" ""', '"%s"\x00'),
    *('"%s"""%s" "', '"%s"%s"', '"%s"\\"', '   "%s"%s'),
)
BAD_UTF8 = (
    *(b"\xff", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf5\x80\x80\x80", b"a\x80b"),
    *(b'"\xff"', b'"\xff\n\n\xe2\x82"', b"\xf0\x9f\x98", b"\xe2\x82,", b"?\xff?", b'"\xff"x'),
)


def as_field(text: str) -> str:
    """A text as a field that is read as just this text."""
    if any(it in text for it in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def as_record(fields: Sequence[str]) -> bytes:
    """Texts as a record that is read as just these texts."""
    return ",".join(map(as_field, fields)).encode()


def shaped(text: str, shapes: Sequence[str]) -> tuple[bytes, ...]:
    """A text in several kinds of quoting."""
    return tuple(shape.replace("%s", text).encode() for shape in shapes)


def every_customer() -> list[tuple[str, ...]]:
    """Customers: each spelling of each field, and each pair of spellings under one id."""
    unused = iter(range(1_000, 1_000_000))
    rows: list[tuple[str, ...]] = [(text, "Ada", "yes") for text in padded(CUSTOMER_IDS[::2])]
    rows += [(text, "Ada", "yes") for text in CUSTOMER_IDS]
    rows += [(str(next(unused)), name, loan) for name, loan in product(NAMES, LOANS)]
    rows += [(str(next(unused)), "Ada", loan) for loan in padded(LOANS[::2])]
    for (name, loan), (other_name, other_loan) in _pairs(NAMES, _GOOD_LOANS[:18:3]):
        customer = next(unused)
        rows += [(str(customer), name, loan), (f"\u20030{customer}", other_name, other_loan)]
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
    rows += [(f"B{next(unused)}", "31", balance, "savings") for balance in padded(BALANCES[::7])]
    rows += [(f"B{next(unused)}", "32", "1", kind) for kind in padded(ACCOUNT_TYPES[::2])]
    rows += [(f"B{next(unused)}", owner, "1", "Savings") for owner in padded(CUSTOMER_IDS[::4])]
    rows += [(text, "31", "1", "Savings") for text in padded(ACCOUNT_IDS[::2])]
    for (balance, owner), (other_balance, other_owner) in _pairs(BALANCES[4:190:4], owners[:1]):
        account = f"C{next(unused)}"
        rows += [(account, owner, balance, "Savings")]
        rows += [(f"\u2003{account}", f"0{other_owner}", other_balance, "SAVINGS ")]
    for (kind, owner), (other_kind, other_owner) in _pairs(ACCOUNT_TYPES[::2], owners):
        account = f"D{next(unused)}"
        rows += [
            (account, owner, "10000.34", kind),
            (account, other_owner, "$10,000.340", other_kind),
        ]
    return rows


def _pairs(some: Sequence[str], others: Sequence[str]) -> list[tuple[tuple[str, str], ...]]:
    """Each combination beside itself, beside its neighbour, and beside some that are far off."""
    every = list(product(some, others))
    steps = (0, 1, 2, len(others), len(every) // 2, len(every) // 3 + 1)
    return [(it, every[at - step]) for at, it in enumerate(every) for step in steps]


def _some(rows: list[tuple[str, ...]], one_in: int) -> Iterator[tuple[str, ...]]:
    """One in some of the rows, by blocks: those that belong together stand beside each other."""
    return (row for at, row in enumerate(rows) if at // 20 % one_in == 0)


def every_case(one_in: int = 1) -> tuple[bytes, bytes]:
    """One delivery with all of them, or with one in some of the customers and accounts."""
    owners = [("31", "Grace", "yes"), ("32", "Alan", "no"), ("34", "Edsger", "maybe")]
    odd = [
        *(shape + b",x,yes" for shape in shaped("77", GOOD_QUOTING)),
        *(b"x,y," + shape for shape in shaped("yes", GOOD_QUOTING)),
        *(shape + b",x,yes" for shape in shaped("x", BROKEN_QUOTING)),
        *(b'"x\ny",x,' + shape for shape in shaped("x", BROKEN_QUOTING)),
        *(b"x," + shape + b",yes" for shape in BAD_UTF8),
        *(b"x,x,yes,yes," + shape for shape in BAD_UTF8),
        *(b"x", b"x,x", b",", b",,,", b"x,x,yes,", b" ", b'"x\n\n\ny"', b'"x\n\r\ny",,,,', b"\x00"),
        b"x," * 12_000 + "\U0001f600".encode(),
    ]
    customers = [as_record(row) for row in (*owners, *_some(every_customer(), one_in))]
    accounts = [as_record(row) for row in _some(every_account(), one_in)]
    return (
        b"\n".join([b"CustomerID,Name,HasLoan", *odd, *customers, b"", *odd, b""]),
        b"\n".join([b"AccountID,CustomerID,Balance,AccountType", *accounts, b""]),
    )


# Customers and accounts of which most are good, some come twice, and some contradict each other.
_USUAL_IDS = tuple(str(number) for number in range(1, 66))
_USUAL_CUSTOMERS = tuple(
    row
    for number in range(1, 60)
    for row in ((str(number), f"Name {number}", "yes"), (f"0{number} ", f" NAME  {number}", "TRUE"))
)
_USUAL_ACCOUNTS = tuple(
    row
    for number, amount in enumerate(AMOUNTS * 3)
    for row in (
        (f"A{number}", str(number % 66 + 1), amount, "Savings"),
        (f"A{number}\x85", f"00{number % 66 + 1}", f"${amount}", " SAVINGS"),
    )
)


def _mixed(
    usual: Sequence[tuple[str, ...]], *fields: tuple[Sequence[str], Sequence[str]]
) -> st.SearchStrategy[tuple[str, ...]]:
    """Rows of which three in four are usual, the others dirty in one field of three.

    They are put together beforehand, so that a row is one choice: hundreds of rows of several
    choices each are slow to draw.
    """
    choose = random.Random(20260131)
    kinds = [(good, good, (*bad, *padded(bad[::5]))) for good, bad in fields]
    dirty = [tuple(choose.choice(choose.choice(kind)) for kind in kinds) for _ in range(5_000)]
    rows = [*(choose.choice(usual) for _ in range(15_000)), *dirty]
    choose.shuffle(rows)
    return st.sampled_from(rows)


customers = _mixed(
    _USUAL_CUSTOMERS, (_USUAL_IDS, CUSTOMER_IDS), (NAMES[:3], NAMES), (_GOOD_LOANS, LOANS)
)
accounts = _mixed(
    _USUAL_ACCOUNTS,
    (_USUAL_IDS, ACCOUNT_IDS),
    (_USUAL_IDS, CUSTOMER_IDS),
    (AMOUNTS, BALANCES),
    (_GOOD_TYPES, ACCOUNT_TYPES),
)

_GOOD_FIELDS = (*shaped("x", GOOD_QUOTING), b"x", b"1", b"")
_one_bad_field = st.sampled_from((*shaped("x", BROKEN_QUOTING), *BAD_UTF8))
_good_fields = st.lists(st.sampled_from(_GOOD_FIELDS), max_size=5)
_odd_records = st.one_of(
    st.tuples(_good_fields, _one_bad_field, _good_fields).map(
        # Behind a broken quote the rest of the line is lost: let it be one line.
        lambda it: b",".join(
            [*it[0], it[1], *(field for field in it[2] if not {10, 13} & {*field})]
        )
    ),
    _good_fields.map(b",".join),
)


@st.composite
def headers(draw: st.DrawFn, columns: Sequence[str]) -> tuple[bytes, list[int]]:
    """A header that is accepted, and which column stands in which place (-1: an extra one)."""
    extra = draw(st.lists(st.sampled_from(("Branch", f"{KELVIN}", 'a, "b"\nc')), unique=True))
    places = draw(st.permutations([*range(len(columns)), *[-1] * len(extra)]))
    case = draw(st.sampled_from((str, str.lower, str.upper, str.swapcase)))
    padding = draw(st.sampled_from(("%s", "%s", " %s ", "\t%s\u3000", '"%s"', ' "%s" ', '" %s\n"')))
    texts = [
        padding.replace("%s", case(columns[at])) if at >= 0 else as_field(extra.pop())
        for at in places
    ]
    return ",".join(texts).encode(), list(places)


@st.composite
def files(
    draw: st.DrawFn, columns: Sequence[str], rows: st.SearchStrategy[tuple[str, ...]]
) -> bytes:
    """A file of a few hundred records that may hold every kind of dirt and is mostly accepted."""
    header, places = draw(headers(columns))
    chosen = draw(st.lists(rows, min_size=60, max_size=300))
    records = [
        header,
        *(as_record([row[at] if at >= 0 else "x" for at in places]) for row in chosen),
    ]
    for odd in draw(st.lists(_odd_records, max_size=12)):
        records.insert(draw(st.integers(1, len(records))), odd)
    for _ in range(draw(st.integers(0, 3))):
        records.insert(draw(st.integers(0, len(records))), b"")
    line_end = draw(st.sampled_from(LINE_ENDS))
    last = draw(st.sampled_from((line_end, b"")))
    # The parser does not see a quote behind a BOM: such a header has to stay on its line.
    marks = (b"",) if header.startswith(b'"') and b"\n" in header else (b"", BOM)
    return draw(st.sampled_from(marks)) + line_end.join(records) + last


deliveries = st.tuples(files(CUSTOMER_COLUMNS, customers), files(ACCOUNT_COLUMNS, accounts))

_ATOMS = (
    *(b"x", b"x", b",", b",", b",", b'"', b'"', b'"', b'""', b" ", b"  ", b"\n", b"\n", b"\n"),
    *(b"\x00", b"\xff", b"\xc3\xa9", b"#", b"\\", b"'", b'"x"', b'"x\n\ny"', b"\t", b"?", b"\r"),
    *(b"x,x,x\n", b"x,x,x\n", b'"x\r\ny",'),
)
# Hardly a file at all: what splits, what does not and what is refused must still be agreed on.
wild_files = st.builds(
    lambda start, header, body, line_end: start + (header + body).replace(b"\n", line_end),
    st.sampled_from((b"", b"", b"", BOM, b"\n", b"\r\n\r\n")),
    st.sampled_from(
        (
            *(
                b"CustomerID,Name,HasLoan\n",
                b"CustomerID,Name,HasLoan\n",
                b"name,hasloan,customerid\n",
            ),
            *(b'CustomerID,Name,HasLoan,"Ex\ntra"\n', b' "CustomerID" ,Name,HasLoan,Extra,\n'),
            *(
                b"CustomerID,Name\n",
                b"CustomerID;Name;HasLoan\n",
                b"CustomerID,Name,HasLoan,name\n",
            ),
        )
    ),
    st.lists(st.sampled_from(_ATOMS), max_size=40).map(b"".join),
    st.sampled_from((b"\n", b"\n", b"\r\n", b"\r")),
)
