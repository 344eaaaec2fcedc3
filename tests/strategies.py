"""Deliveries with dirt of every kind, as hypothesis strategies that draw from `dirt.py`."""

import random
from collections.abc import Sequence

from hypothesis import strategies as st

from tests.dirt import (
    ACCOUNT_COLUMNS,
    ACCOUNT_IDS,
    ACCOUNT_TYPES,
    AMOUNTS,
    BAD_UTF8,
    BALANCES,
    BOM,
    BROKEN_QUOTING,
    CUSTOMER_COLUMNS,
    CUSTOMER_IDS,
    GOOD_LOANS,
    GOOD_QUOTING,
    GOOD_TYPES,
    KELVIN,
    LINE_ENDS,
    LOANS,
    NAMES,
    as_field,
    as_record,
    padded,
    shaped,
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
    _USUAL_CUSTOMERS, (_USUAL_IDS, CUSTOMER_IDS), (NAMES[:3], NAMES), (GOOD_LOANS, LOANS)
)
accounts = _mixed(
    _USUAL_ACCOUNTS,
    (_USUAL_IDS, ACCOUNT_IDS),
    (_USUAL_IDS, CUSTOMER_IDS),
    (AMOUNTS, BALANCES),
    (GOOD_TYPES, ACCOUNT_TYPES),
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
