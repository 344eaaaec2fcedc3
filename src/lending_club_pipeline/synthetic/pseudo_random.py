"""Pseudo-random numbers as SQL: the same on every machine, thread count and engine version.

DuckDB's own `hash` and `random` do not guarantee this, and floating point may differ by machine, so
everything here is arithmetic on whole numbers.
"""

import hashlib
import math
from statistics import NormalDist
from typing import Final

_MASK: Final = 2**32 - 1
_KNOTS: Final = 256
_MEDIAN_CENTS: Final = 550_000
_SPREAD: Final = 1.5
# End of the curve: the balance that one in ten thousand would exceed is the largest.
_LAST_SHARE: Final = 0.9999


def draw(number: str, *stream: object) -> str:
    """Return SQL for a pseudo-random number from 0 to 2^32 - 1.

    Args:
        number: SQL of a whole number from 0 to 2^32 - 1; keep it a column, it is repeated.
        stream: purpose of the number, with the seed; other streams give other numbers.
    """
    key = hashlib.sha256(":".join(map(str, stream)).encode()).digest()
    first, second = (int.from_bytes(key[at : at + 4], "big") for at in (0, 4))
    # Multiply and shift, twice, as in the "lowbias32" hash by C. Wellons (public domain). DuckDB
    # computes a repeated part of an expression once.
    mixed = f"(({number}::ubigint * 2654435761 + {first}) & {_MASK})"
    mixed = f"((xor(xor({mixed}, {mixed} >> 16), {second}) * 2146121005) & {_MASK})"
    mixed = f"((xor({mixed}, {mixed} >> 15) * 2221713035) & {_MASK})"
    return f"xor({mixed}, {mixed} >> 16)::bigint"


def log_normal_cents(number: str) -> str:
    """Return SQL for an amount in cents, log-normally distributed, from a drawn number.

    The curve is cut into straight pieces between its 256-quantiles, in whole cents. The median
    is 5,500.00; about 34 % of the amounts are 10,000.00 or more, and 19 % are 20,000.00 or more.
    """
    knots = ", ".join(map(str, _quantiles()))
    piece = f"({number} >> 24)"
    low = f"[{knots}]::bigint[]"
    part = f"(({number} >> 8) & 65535)"
    lower, upper = f"list_extract({low}, {piece} + 1)", f"list_extract({low}, {piece} + 2)"
    return f"({lower} + (({upper} - {lower}) * {part} // 65536))"


def _quantiles() -> list[int]:
    shares = [knot / _KNOTS for knot in range(1, _KNOTS)] + [_LAST_SHARE]
    normal = NormalDist()
    return [0] + [
        round(_MEDIAN_CENTS * math.exp(_SPREAD * normal.inv_cdf(share))) for share in shares
    ]
