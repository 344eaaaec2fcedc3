"""`make bench-exchange`: how far apart the outputs of a publication are exchanged.

Writes `bench/results/exchange.md`. The bar is 5 ms from the first file to the last.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.contenders import environment
from lending_club_pipeline.cli import main as run_cli
from lending_club_pipeline.synthetic.deliveries import generate_deliveries

RESULTS = Path(__file__).parent / "results" / "exchange.md"
SIZES = (500_000, 5_000_000)
BAR_MILLISECONDS = 5.0
_SAID = "exchanged after ms: "
HEAD = """# From the first output that is exchanged to the last

Written by `make bench-exchange`: a real run that replaces the outputs of the run before.
Milliseconds after the exchange of the first file; `manifest.json` is the last of them.

| accounts | second | third | fourth | manifest.json |
|---:|---:|---:|---:|---:|
"""


def watch() -> None:
    """Be `lending-club`, and say at the end when each output replaced another one."""
    outputs, times = os.environ["OUTPUT_PATH"], list[float]()

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        # The sorted rows become the work file of an output; readers see the exchange alone.
        is_output = event == "os.rename" and str(arguments[0]).startswith(outputs)
        if is_output and ".sorted." not in str(arguments[0]):
            times.append(time.perf_counter())

    sys.addaudithook(note)
    sys.argv = ["lending-club", "run", "--force", "--quiet"]
    try:
        run_cli()
    finally:
        print(_SAID + " ".join(f"{(it - times[0]) * 1000:.2f}" for it in times[1:]))


def measure(accounts: int, folder: Path) -> list[float]:
    """Publish a delivery twice; return when the second time each file but the first came."""
    inputs = folder / "inputs"
    generate_deliveries(
        customers=accounts * 2 // 5,
        accounts=accounts,
        to=inputs,
        on_progress=lambda _: None,
    )
    for _ in range(2):
        ended = subprocess.run(
            [sys.executable, "-m", "bench.exchange", "--watch"],
            env={**os.environ, **environment(inputs, folder / "pipeline")},
            capture_output=True,
            text=True,
            check=True,
        )
    return [float(it) for it in ended.stdout.partition(_SAID)[2].split()]


def main() -> int:
    """Measure, write the page, and return 1 if the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=SIZES)
    parser.add_argument("--watch", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.watch:
        watch()
        return 0
    lines, worst = [], 0.0
    for accounts in given.accounts:
        with tempfile.TemporaryDirectory(prefix="exchange-") as folder:
            times = measure(accounts, Path(folder))
        worst = max(worst, *times)
        lines.append(f"| {accounts:,} | {' | '.join(f'{it:.2f}' for it in times)} |\n")
        print(lines[-1], end="")
    RESULTS.write_text(HEAD + "".join(lines))
    return int(worst > BAR_MILLISECONDS)


if __name__ == "__main__":
    sys.exit(main())
