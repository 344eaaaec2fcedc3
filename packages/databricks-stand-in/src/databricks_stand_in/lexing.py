"""Tokens of a SQL statement: enough to tell names, texts and comments apart."""

import re
from dataclasses import dataclass
from typing import Final

from databricks_stand_in.errors import syntax_error

# A part of a name, and a name in one to three parts, as regular expressions.
PART: Final = r"(?:`(?:[^`]|``)+`|\w+)"
NAME: Final = rf"{PART}(?:\s*\.\s*{PART}){{0,2}}"

_TOKEN: Final = re.compile(
    r"""
    (?P<space>\s+)
    | (?P<hint>/\*\+.*?\*/)
    | (?P<comment>--[^\n]*|/\*.*?\*/)
    | (?P<text>[rR]'[^']*'|[rR]"[^"]*"|'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")
    | (?P<quoted>`(?:[^`]|``)*`)
    | (?P<word>[^\W\d]\w*)
    | (?P<number>\d\w*)
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """A piece of a statement.

    Attributes:
        kind: space, hint, comment, text, quoted, word, number or sign.
        text: what stands there.
    """

    kind: str
    text: str

    @property
    def name(self) -> str | None:
        """The identifier that this is, without its quotes."""
        if self.kind == "quoted":
            return self.text[1:-1].replace("``", "`")
        return self.text if self.kind == "word" else None


def tokens_of(statement: str) -> list[Token]:
    """Split a statement; the pieces joined again are the statement."""
    return [Token(str(m.lastgroup), m.group()) for m in _TOKEN.finditer(statement)]


def without_comments(statement: str) -> str:
    """Return the statement with each comment as a space, without white space or `;` at the ends."""
    pieces = (" " if token.kind == "comment" else token.text for token in tokens_of(statement))
    return "".join(pieces).strip().rstrip(";").rstrip()


def unquoted(text: str) -> str:
    """Return what a quoted text or name says."""
    if text[:1] in {"'", '"'}:
        return re.sub(r"\\(.)|''", lambda m: m[1] or "'", text[1:-1])
    return text[1:-1].replace("``", "`") if text.startswith("`") else text


_PAIR: Final = re.compile(
    r"\s*(?P<key>'(?:[^'\\]|\\.|'')*')\s*=\s*(?P<value>'(?:[^'\\]|\\.|'')*')\s*(?:,|$)"
)


def pairs(text: str) -> dict[str, str]:
    """Read `'key' = 'value', …`."""
    found, position = {}, 0
    text = text.strip()
    while position < len(text):
        match = _PAIR.match(text, position)
        if match is None:
            raise syntax_error(text)
        found[unquoted(match["key"])] = unquoted(match["value"])
        position = match.end()
    return found
