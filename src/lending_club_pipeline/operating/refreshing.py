"""Samples from a slow source, read in the background so that no scrape waits."""

import sys
import threading
import time
from collections.abc import Callable, Sequence

from lending_club_pipeline.contract.errors import PipelineError
from lending_club_pipeline.operating.measurements import Measurement, Sample


class Refreshed:
    """Keeps samples for some time, then reads them again in a thread.

    Args:
        read: reads the samples; it may fail.
        unreadable: 1 if the last read failed, else 0; after a failure it is the only sample.
        seconds: how long samples, or a failure, are kept.
        patience_seconds: how long a caller waits for a read that is in progress.
    """

    def __init__(
        self,
        read: Callable[[], Sequence[Sample]],
        unreadable: Measurement,
        seconds: float,
        patience_seconds: float,
    ) -> None:
        self._read, self._unreadable = read, unreadable
        self._seconds, self._patience_seconds = seconds, patience_seconds
        self._samples: Sequence[Sample] = ()
        self._begun_at = float("-inf")
        self._reading: threading.Thread | None = None

    def samples(self) -> Sequence[Sample]:
        """Return the samples of the last finished read; none before the first one."""
        if self._reading is None and time.monotonic() - self._begun_at >= self._seconds:
            self._begun_at = time.monotonic()
            # As a daemon it does not delay the end of the process when the network hangs.
            self._reading = threading.Thread(target=self._read_now, daemon=True)
            self._reading.start()
        if self._reading is not None:
            self._reading.join(self._patience_seconds)
            self._reading = self._reading if self._reading.is_alive() else None
        return self._samples

    def _read_now(self) -> None:
        try:
            self._samples = [*self._read(), Sample(self._unreadable, 0)]
        except Exception as error:  # noqa: BLE001 - whatever it is, the next read may succeed
            # The text of a library's error may hold a secret; ours do not.
            said = str(error) if isinstance(error, PipelineError) else type(error).__name__
            print(f"{self._unreadable.name}: {said}", file=sys.stderr)  # noqa: T201 - the log
            self._samples = [Sample(self._unreadable, 1)]
