"""The population of customers and accounts of a delivery, without dirt."""

import datetime as dt
import math
from dataclasses import dataclass
from typing import Final

EPOCH: Final = dt.date(1970, 1, 1)

# Accounts and loans change at a fraction of the rate at which balances change.
_ACCOUNTS_PER_BALANCE: Final = 0.05
_LOANS_PER_BALANCE: Final = 0.1
_PHASES: Final = 2**20
_GOLDEN_RATIO: Final = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Population:
    """Numbers of customers and accounts, their changes, and how they are written.

    Attributes:
        customers: records in Customer.csv.
        accounts: records in accounts.csv.
        seed: another seed gives other people.
        day: days since 1970-01-01; 0 for an undated delivery.
        change: share of the accounts whose balance changes from one day to the next.
        unusual: share of the clean records that are written in an unusual but accepted way.
    """

    customers: int
    accounts: int
    seed: int
    day: int
    change: float
    unusual: float

    def balance_changes(self, phase: str) -> str:
        """Return SQL for how often a balance has changed, from a drawn number."""
        return _times(self.day * self.change, phase)

    def account_changes(self, phase: str) -> str:
        """Return SQL for how often an account was closed and another one opened in its place."""
        return _times(self.day * self.change * _ACCOUNTS_PER_BALANCE, phase)

    def loan_changes(self, phase: str) -> str:
        """Return SQL for how often a loan flag has changed, from a drawn number."""
        return _times(self.day * self.change * _LOANS_PER_BALANCE, phase)

    def customer_id(self, record: str) -> str:
        """Return SQL for the id of the customer of a record."""
        return f"(1000001 + {_shuffled(record, self.customers)})"


def account_number(population: Population, record: str, changes: str) -> str:
    """Return SQL for the number of the account of a record, unique over all days."""
    own = _shuffled(record, population.accounts)
    return f"(1 + {own} + {changes} * {population.accounts})"


def _times(average: float, phase: str) -> str:
    """Return SQL for the number of times of an event with even intervals."""
    whole, rest = divmod(round(average * _PHASES), _PHASES)
    if rest == 0:
        return str(whole)
    return f"({whole} + case when ({phase}) % {_PHASES} >= {_PHASES - rest} then 1 else 0 end)"


def _shuffled(record: str, records: int) -> str:
    """Return SQL that maps the records 0 to `records` - 1 onto themselves in another order."""
    step = max(1, round(records * _GOLDEN_RATIO))
    while math.gcd(step, records) != 1:
        step += 1
    return f"(({record} * {step} + {records // 3}) % {max(records, 1)})"
