"""What a run prints, kept beside its events, without processes of their own for it."""

import os
import sys
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, Self, TextIO

import dagster as dg
from dagster._core.storage.compute_log_manager import CapturedLogContext, ComputeIOType
from dagster._core.storage.local_compute_log_manager import (
    IO_TYPE_EXTENSION,
    LocalComputeLogManager,
)
from dagster._serdes import ConfigurableClassData

_MIRROR_SECONDS: Final = 0.1


class InProcessComputeLogManager(LocalComputeLogManager):
    """Dagster's local files of what a run prints, mirrored by a thread.

    Dagster's own manager starts four processes per run, two `tail` and two Python programs that
    watch them, which cost a short run a tenth of its time; and it kills them when the run ends,
    whether or not they have shown the last lines. `dagster.yaml` names this class.
    """

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir="", inst_data=inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return the configuration: none, because the files lie in the run history's folder."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Make the manager for an instance of Dagster."""
        return cls(inst_data=inst_data, **config_value)

    def register_instance(self, instance: dg.DagsterInstance) -> None:
        """Learn the folder of the run history."""
        super().register_instance(instance)
        self._base_dir = instance.storage_directory()

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Generator[CapturedLogContext, None, None]:
        """Keep standard output and error of this process while the body runs."""
        paths = {
            kind: Path(self.get_captured_local_path(log_key, IO_TYPE_EXTENSION[kind]))
            for kind in ComputeIOType
        }
        with (
            _kept(sys.stdout, paths[ComputeIOType.STDOUT]),
            _kept(sys.stderr, paths[ComputeIOType.STDERR]),
        ):
            yield CapturedLogContext(log_key)
        Path(self.get_captured_local_path(log_key, "complete")).touch()


@contextmanager
def _kept(stream: TextIO, path: Path) -> Iterator[None]:
    """Write what goes to a stream into a file, and show it where it was to go."""
    try:
        descriptor = stream.fileno()
    except OSError:
        # A stream that is no file, such as a test's, has no descriptor that could be redirected.
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    stream.flush()
    with (
        path.open("ab", buffering=0) as kept,
        os.fdopen(os.dup(descriptor), "wb", buffering=0) as shown,
        _mirrored(path, shown),
    ):
        os.dup2(kept.fileno(), descriptor)
        try:
            yield
        finally:
            stream.flush()
            os.dup2(shown.fileno(), descriptor)


@contextmanager
def _mirrored(path: Path, shown: BinaryIO) -> Iterator[None]:
    """Copy what a file grows by, until the body has ended and all of it is copied."""
    ended = threading.Event()
    mirror = threading.Thread(target=_mirror, args=(path, shown, ended), daemon=True)
    mirror.start()
    try:
        yield
    finally:
        ended.set()
        mirror.join()


def _mirror(path: Path, shown: BinaryIO, ended: threading.Event) -> None:
    with path.open("rb") as kept:
        is_last = False
        while not is_last:
            is_last = ended.wait(_MIRROR_SECONDS)
            try:
                _write_all(shown, kept.read())
            except BrokenPipeError:
                # Nobody reads it any more, as with `| head`: the file has it all.
                return


def _write_all(target: BinaryIO, data: bytes) -> None:
    while data:
        data = data[target.write(data) or 0 :]
