"""Texts of fields -> typed values, or the reasons for which there are none."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

WHITE_SPACE = frozenset(
    "\t\n\v\f\r \u0085\u00a0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOWER = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"
LARGEST_CUSTOMER_ID = 2**63 - 1
LARGEST_BALANCE = Decimal("999999999999999.99")
LOANS = {
    **dict.fromkeys(("yes", "y", "true", "1"), "Yes"),
    **dict.fromkeys(("no", "n", "false", "0"), "No"),
    **dict.fromkeys(("none", ""), "None"),
}
TYPES = {"savings": "Savings", "checking": "Checking"}


def strip(text: str) -> str:
    """Remove white space from both ends."""
    while text and text[0] in WHITE_SPACE:
        text = text[1:]
    while text and text[-1] in WHITE_SPACE:
        text = text[:-1]
    return text


def lower_ascii(text: str) -> str:
    """Lower case, ASCII letters only."""
    return "".join(LOWER[UPPER.index(it)] if it in UPPER else it for it in text)


def is_digits(text: str) -> bool:
    """Whether a text is one or more of 0-9."""
    return text != "" and all(it in DIGITS for it in text)


@dataclass(frozen=True)
class Cleaned:
    """A typed value (None where it is missing or not accepted) and why it is not accepted."""

    value: object
    reasons: tuple[str, ...] = ()


def customer_id(text: str) -> Cleaned:
    text = strip(text)
    if text == "":
        return Cleaned(None, ("customer_id_missing",))
    if is_digits(text) and 1 <= int(text.lstrip("0")[:20] or "0") <= LARGEST_CUSTOMER_ID:
        return Cleaned(int(text.lstrip("0")))
    return Cleaned(None, ("customer_id_not_a_whole_number",))


def account_id(text: str) -> Cleaned:
    text = strip(text)
    return Cleaned(text) if text else Cleaned(None, ("account_id_missing",))


def name(text: str) -> Cleaned:
    words = "".join(" " if it in WHITE_SPACE else it for it in text).split(" ")
    joined = " ".join(word for word in words if word)
    return Cleaned("".join(_lower(it) for it in joined) or None)


# Capital letters that Unicode has had since its versions 16 and 17, which Python may not know yet.
NEW_LETTERS = {
    "\u1c89": "\u1c8a",
    "\ua7cb": "\u0264",
    "\ua7cc": "\ua7cd",
    "\ua7ce": "\ua7cf",
    "\ua7d2": "\ua7d3",
    "\ua7d4": "\ua7d5",
    "\ua7da": "\ua7db",
    "\ua7dc": "\u019b",
    **{chr(0x10D50 + it): chr(0x10D70 + it) for it in range(22)},
    **{chr(0x16EA0 + it): chr(0x16EBB + it) for it in range(25)},
}


def _lower(character: str) -> str:
    # The only code point that Python lowers to two: i and a dot above.
    return "i" if character == "\u0130" else NEW_LETTERS.get(character, character.lower())


def has_loan(text: str) -> Cleaned:
    found = LOANS.get(lower_ascii(strip(text)))
    return Cleaned(found) if found else Cleaned(None, ("has_loan_unrecognised",))


def account_type(text: str) -> Cleaned:
    text = lower_ascii(strip(text))
    if text == "":
        return Cleaned(None, ("account_type_missing",))
    found = TYPES.get(text)
    return Cleaned(found) if found else Cleaned(None, ("account_type_unrecognised",))


def balance(text: str) -> Cleaned:
    text = strip(text)
    if text == "":
        return Cleaned(None, ("balance_missing",))
    is_minus, number = _without_signs(text)
    units, decimals = _units_and_decimals(number)
    if not is_digits(units) or not is_digits(decimals):
        return Cleaned(None, ("balance_not_a_number",))
    decimals = decimals.rstrip("0")
    is_zero = units.strip("0") == "" and decimals == ""
    reasons = []
    if len(decimals) > 2:
        reasons.append("balance_fraction_of_a_cent")
    if is_minus and not is_zero:
        reasons.append("balance_negative")
    elif Decimal(f"{units}.{decimals}0") > LARGEST_BALANCE:
        reasons.append("balance_out_of_range")
    if reasons:
        return Cleaned(None, tuple(reasons))
    return Cleaned(Decimal(f"{units}.{decimals.ljust(2, '0')}"))


def _without_signs(text: str) -> tuple[bool, str]:
    """Take at most one minus and at most one dollar sign from the front, in either order."""
    for signs in ("-$", "$-", "-", "$"):
        if text.startswith(signs):
            return "-" in signs, text[len(signs) :]
    return False, text


def _units_and_decimals(number: str) -> tuple[str, str]:
    """Return digits before and behind the point; an empty text where they are not well formed."""
    units, point, decimals = number.partition(".")
    if "," in units:
        groups = units.split(",")
        is_well_formed = 1 <= len(groups[0]) <= 3 and all(len(it) == 3 for it in groups[1:])
        units = "".join(groups) if is_well_formed else ""
    return units, decimals if point else "0"


CUSTOMER_FIELDS: dict[str, Callable[[str], Cleaned]] = {
    "customer_id": customer_id,
    "name": name,
    "has_loan": has_loan,
}
ACCOUNT_FIELDS: dict[str, Callable[[str], Cleaned]] = {
    "account_id": account_id,
    "customer_id": customer_id,
    "balance": balance,
    "account_type": account_type,
}
