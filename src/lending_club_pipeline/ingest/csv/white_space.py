"""The characters of Unicode's White_Space property."""

from typing import Final

# 25 code points; zero-width characters are not among them, and Python's own set differs.
WHITE_SPACE: Final = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + "\u2028\u2029\u202f\u205f\u3000"
)
