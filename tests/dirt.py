"""The tests' catalogue of dirt: every text that a field may hold, and every shape of a record.

It holds everything that the data model has an opinion on: unusual spellings that it accepts, texts
that it quarantines, and records that it rejects. The tests of both engines and of the macros read
it, and `strategies.py` draws from it. What is right for a text is said by the oracle, not here.

The only other catalogue is the product's: `synthetic/dirt.py`, from which `lending-club generate`
makes deliveries that say themselves what is wrong with them.
"""

from collections.abc import Iterator, Sequence
from itertools import count, product

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

# Letters that change their length, their number or their form when they are lowered.
LETTERS = (
    *("\u0130", "I\u0307", "\u0131", "\u03a3", *SIGMAS, "\u1e9e", "\u01c5", "\u212a", "\u2126"),
    *("e\u0301", "E\u0301", "\u00c9", "A\u030a", "\u212b", "\u1fbc", "\ufb01", "\U00010400"),
    *("\u13a0", "\uab70", "\u10a0", "\u1c90", "\ua7c5", "\u2c2f", "\U0001e900", "\U0001f468"),
    *("\u1c89", "\ua7da", "\ua7dc", "\U00010570", "\U00010d50", "\U00016ea0"),
)

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
GOOD_LOANS = (
    *("yes", "y", "true", "1", "no", "n", "false", "0", "none", "", "Yes", "No", "None", "YES"),
    *("TRUE", "Y", "N", "nOnE", " yes ", "\u2003no\xa0", "\u3000", "tRuE\t"),
)
LOANS = (
    *GOOD_LOANS,
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
GOOD_TYPES = (
    "Savings",
    "savings",
    "SAVINGS",
    " sAvInGs\xa0",
    "Checking",
    "checking",
    "CHECKING\t",
)
ACCOUNT_TYPES = (
    *GOOD_TYPES,
    *("", " ", "\u2007", "Saving", "savings.", "sav ings", f"Chec{KELVIN}ing", f"{LONG_S}avings"),
    *("check", "Savings\x00", "\u200bSavings", "NULL", "N/A", "#", "a,b", '"Savings"'),
    full_width("Savings"),
)
# At the bounds of a tier, a cent below them, at the largest balance there is, and where interest is
# computed with more digits.
BOUNDARIES = (
    *("0.00", "9999.99", "10000.00", "19999.99", "20000.00"),
    *("9999999999.99", "10000000000.00", "999999999999999.99"),
)
# Interest of exactly half a cent more than a whole one, at 1.0, 1.5 and 2.0 percent, and at 1.5,
# 2.0 and 2.5 percent for who has a loan; with the cents around each.
HALF_CENTS = (
    *("0.33", "0.34", "0.49", "0.50", "0.51", "1.00", "1.49", "1.50", "2.50", "33.33", "33.34"),
    *("10000.20", "10000.24", "10000.25", "10000.32", "10000.33", "10000.34", "10000.66"),
    *("10000.67", "10001.00", "10002.50"),
    *("20000.19", "20000.20", "20000.24", "20000.25", "20000.26", "20000.60", "20000.75"),
    "20001.00",
)
AMOUNTS = (
    *("0", "0.01", "1", "1.5", "1.500", "0.005", "0.004", "1.005", "0.010"),
    *("10000", "20000", "10000.001", "9999.990"),
    *BOUNDARIES,
    *HALF_CENTS,
    *("12345678901234.56", "99999999999999.99", "100000000000000.00", "123456789012345.67"),
    *("999999999999999", "999999999999999.990", "0999999999999999.99"),
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


def every_text() -> list[str]:
    """Every text of every field, and white space and what looks like it in every place."""
    shapes = ("", "x", "x%sy", "x%s%sy", "x y")
    some = (
        *("", "a", "a\n", "\na", "ab", "aab", "a$", "a$\n", "b", "\n", "\r\n", "a|ab", "\\", "'"),
        *(
            f"{it}{shape.replace('%s', it)}{it}"
            for it in (*WHITE_SPACE, *INVISIBLE)
            for shape in shapes
        ),
        *("\u03a3", "A\u03a3", "A\u03a3 B", "A\u03a3\u0301", "\u0130", "I\u0307", "\u0130\u0307"),
    )
    known = (*CUSTOMER_IDS, *NAMES, *LOANS, *ACCOUNT_IDS, *ACCOUNT_TYPES, *BALANCES)
    return list(dict.fromkeys((*some, *known, *padded(("12", "yes", "Savings", "1.50", "Ada")))))


def every_customer() -> list[tuple[str, ...]]:
    """Customers: each spelling of each field, and each pair of spellings under one id."""
    unused = iter(range(1_000, 1_000_000))
    rows: list[tuple[str, ...]] = [(text, "Ada", "yes") for text in padded(CUSTOMER_IDS[::2])]
    rows += [(text, "Ada", "yes") for text in CUSTOMER_IDS]
    rows += [(str(next(unused)), name, loan) for name, loan in product(NAMES, LOANS)]
    rows += [(str(next(unused)), "Ada", loan) for loan in padded(LOANS[::2])]
    for (name, loan), (other_name, other_loan) in _pairs(NAMES, GOOD_LOANS[:18:3]):
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


def every_name() -> list[tuple[str, ...]]:
    """Customers whose names hold unusual letters, and white space and what is none everywhere."""
    unused = count(2_000_000)
    spaces = (*WHITE_SPACE, *INVISIBLE)
    names = [
        *(f"{before}{letter}{after}" for letter in LETTERS for before, after in (("", ""), "aA")),
        *(f"{it}Ada{it}{it}Love{it}lace{it}" for it in spaces),
        *(f"{one}{other}X{other}{one}Y" for one, other in product(spaces[::4], spaces[::3])),
        "".join(spaces),
        f"A{''.join(WHITE_SPACE)}B",
    ]
    return [(str(next(unused)), name, "yes") for name in names]


def every_amount(owners: Sequence[str]) -> list[tuple[str, ...]]:
    """Savings accounts of some customers at each bound of a tier and each half cent of interest."""
    unused = iter(range(1_000_000))
    return [
        (f"E{next(unused)}", owner, amount, "Savings")
        for owner, amount in product(owners, (*BOUNDARIES, *HALF_CENTS))
    ]


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
