"""A landed day that is replaced: at no moment is it not there, as far as the machine allows."""

import os
import sys
from pathlib import Path

import pytest

from lending_club_pipeline.files.atomic import swap
from lending_club_pipeline.ingest import landing as landings
from tests.faults.landings import ACCOUNTS, Landing

RESTATED = ACCOUNTS.replace(b"100.00", b"300.00")


class _PowerCutError(Exception):
    pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux swaps two folders in one step")
def test_two_folders_are_swapped_in_one_step(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)

    assert swap(tmp_path / "first", tmp_path / "second")

    assert (tmp_path / "first" / "file").read_text() == "second"
    assert (tmp_path / "second" / "file").read_text() == "first"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux swaps two folders in one step")
def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()

    with pytest.raises(FileNotFoundError, match="first"):
        swap(tmp_path / "first", tmp_path / "second")


def test_without_that_step_a_replacement_that_broke_off_is_undone_by_the_next_landing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landings, "swap", lambda *_: False)
    landing = Landing(tmp_path)
    landing.deliver()
    before = landing.land().folder
    records = landing.records("accounts")
    landing.deliver(accounts=RESTATED)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", _that_breaks_off_at(before))
        with pytest.raises(_PowerCutError):
            landing.land()
    assert not before.exists()
    landing.deliver()

    assert landing.land().is_unchanged
    assert landing.records("accounts") == records
    landing.deliver(accounts=RESTATED)
    assert not landing.land().is_unchanged
    assert landing.records("accounts") != records
    assert [path.name for path in landing.target.iterdir()] == [before.name]


def _that_breaks_off_at(target: Path) -> object:
    def rename(self: Path, to: Path) -> Path:
        if to == target:
            raise _PowerCutError
        os.rename(self, to)  # noqa: PTH104 - it is what stands in its place
        return to

    return rename
