"""What the pipeline must make of a delivery, computed a second time in plain Python.

Nothing here is shared with the pipeline: no engine, no regular expression, no constant. It reads
whole files into memory and looks at one character at a time, so that it can be read against
docs/data-model.md line by line.
"""

from tests.oracle.processing import DEFAULT, Outcome, Rates, process
from tests.oracle.splitting import Refused

__all__ = ["DEFAULT", "Outcome", "Rates", "Refused", "process"]
