"""The records of Customer.csv, as SQL."""

from typing import Final

from lending_club_pipeline.contract.source_files import CUSTOMERS
from lending_club_pipeline.synthetic.dirt import CONFLICTING_DUPLICATE, EXACT_DUPLICATE
from lending_club_pipeline.synthetic.names import full_name
from lending_club_pipeline.synthetic.placements import Placement
from lending_club_pipeline.synthetic.populations import Population
from lending_club_pipeline.synthetic.pseudo_random import draw
from lending_club_pipeline.synthetic.records import lines, marked_records

# Of ten customers three have a loan, five have no loan, and two have no entry.
_LOANS: Final = "['Yes', 'Yes', 'Yes', 'No', 'No', 'No', 'No', 'No', 'None', 'None']"
_OTHER_LOANS: Final = (
    "case loan when 'Yes' then ['YES', 'y', 'True', '1'] when 'No' then ['no', 'N', 'FALSE', '0'] "
    "else ['none', '', 'NONE', ' '] end"
)
# A change moves this many places in the list: in eight of ten cases to another word.
_LOAN_STEP: Final = 7
_UNUSUAL: Final = (
    {"HasLoan": f"list_extract({_OTHER_LOANS}, 1)"},
    {"HasLoan": f"list_extract({_OTHER_LOANS}, 2)"},
    {"HasLoan": f"list_extract({_OTHER_LOANS}, 3)"},
    {"HasLoan": f"list_extract({_OTHER_LOANS}, 4)"},
    {"HasLoan": "' ' || lower(loan) || chr(9)"},
    {"CustomerID": "'000' || customer_id"},
    {"CustomerID": "' ' || customer_id || ' '"},
    {"CustomerID": """'"' || customer_id || '"'""", "HasLoan": """' "' || loan || '"'"""},
    {"Name": "'  ' || name || ' '"},
    {"Name": "replace(name, ' ', '   ')"},
    {"Name": "replace(name, ' ', chr(160))"},
    {"Name": """'"' || name || '"'"""},
)


def customer_lines(population: Population, placement: Placement, first: int, end: int) -> str:
    """Return SQL for the lines of the records from `first` to before `end`."""
    seed = population.seed
    marked = marked_records(placement, population.unusual, first, end, seed, CUSTOMERS.table)
    changes = population.loan_changes("loan_draw >> 8")
    plain = f"""
        select
            *,
            list_extract({_LOANS}, (loan_draw % 10 + {changes} * {_LOAN_STEP}) % 10 + 1) as loan
        from (
            select
                kind, turn, unusual,
                {population.customer_id("origin")} as customer_id,
                {draw("origin", seed, "loan")} as loan_draw,
                {full_name("name_draw")} as name
            from (select *, {draw("origin", seed, "name")} as name_draw from ({marked}))
        )
    """
    return lines(
        CUSTOMERS.name,
        plain,
        {"CustomerID": "cast(customer_id as varchar)", "Name": "name", "HasLoan": "loan"},
        {
            "HasLoan": {
                EXACT_DUPLICATE: "case when turn % 2 = 0 then loan else upper(loan) end",
                CONFLICTING_DUPLICATE: "case loan when 'No' then 'None' else 'No' end",
            },
        },
        _UNUSUAL,
    )
