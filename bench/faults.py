"""`make bench-faults`: kill runs at random moments, and write down what was left each time.

Prints one line per kill with the seed that repeats it, and writes `bench/results/faults.md`.
Exits with 1 if anything was found.
"""

import argparse
import random
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.kill_scenarios import SCENARIOS
from tests.faults.killing import Kill, KillHarness
from tests.faults.random_histories import check_histories

RESULTS = Path(__file__).parent / "results" / "faults.md"
KILLS = 50
HISTORIES = 20
FIRST_SEED = 1
HEAD = """# Runs killed at random moments

Written by `make bench-faults`. Every line is one `lending-club run` in a process of its own that
was ended by SIGKILL: within a step, *after* the last thing that it had said or done, or just
*before* a change of the file system. Afterwards every output was the whole old file or the whole
new one, every table held the old or the new rows of each date, the ledger of every date closed, and
`lending-club explain` answered. Then the same command ran again, without any step by hand, and gave
the bytes and the rows of an undisturbed run. What was found otherwise stands in the last column.

A backfill over a missing day consists of two runs; what the first of them publishes is a whole
state, too.

`python -m bench.faults --scenario NAME --seed SEED --kills 1 --histories 0` repeats a line, as
nearly as a clock allows.

| seed | scenario | struck | new files of 4 | found |
|---:|---|---|---:|---|
"""


# Names that are others in every run: of a run, of a process, of a temporary folder.
_OF_THIS_RUN = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=[.-])\d{3,}(?=\.tmp|/|$)|(?<=preparing-)\w+"
)
_IN_FOLDER = re.compile(r"\S*/faults-\w+/\d+/now")


@dataclass(frozen=True)
class Line:
    """One kill, and the seed that chose its moment."""

    seed: int
    kill: Kill

    @property
    def struck(self) -> str:
        """When it struck, in words."""
        where = _IN_FOLDER.sub("", _OF_THIS_RUN.sub("…", self.kill.where)).strip()
        if self.kill.kill_point.change:
            return f"before `{where}`"
        return f"after `{where}`"

    def __str__(self) -> str:
        found = "; ".join(self.kill.findings) or "nothing"
        cells = (str(self.seed), self.kill.scenario, self.struck, str(self.kill.new_files), found)
        return f"| {' | '.join(cells)} |"


def kill_all(
    names: Sequence[str], kills: int, first_seed: int, folder: Path
) -> Iterator[tuple[KillHarness, Line]]:
    """Share the kills out among the scenarios, one seed each."""
    chosen = [it for it in SCENARIOS if it.name in names]
    seeds = range(first_seed, first_seed + kills)
    for number, scenario in enumerate(chosen):
        harness = KillHarness(scenario, folder / str(number))
        for seed in seeds[number :: len(chosen)]:
            yield harness, Line(seed, harness.kill(harness.kill_points(random.Random(seed))))


def main() -> None:
    """Kill, print, write, and exit with 1 if anything was found."""
    names = [it.name for it in SCENARIOS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="seed of the first kill")
    parser.add_argument("--histories", type=int, default=HISTORIES, help="random histories after")
    parser.add_argument("--scenario", choices=names, action="append")
    arguments = parser.parse_args()
    chosen = arguments.scenario or names
    lines, cache = [], Path()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        for harness, line in kill_all(chosen, arguments.kills, arguments.seed, Path(folder)):
            print(line, flush=True)
            lines.append(line)
            cache = harness.workspace.settings().dbt_cache
        if arguments.histories:
            check_histories(cache, arguments.histories)
            print(f"{arguments.histories} random histories ended as the model says.")
    found = sum(bool(line.kill.findings) for line in lines)
    print(f"{len(lines)} kills, {found} with findings.")
    if arguments.kills == KILLS and not arguments.scenario:
        text = "\n".join(str(it) for it in sorted(lines, key=lambda it: it.seed))
        RESULTS.write_text(f"{HEAD}{text}\n\n{len(lines)} kills, {found} with findings.\n")
        print(f"Written: {RESULTS}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
