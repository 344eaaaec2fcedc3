"""Who may read what is published, and where links lead."""

import grp
import os
import stat
from pathlib import Path

import pytest

from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.contract.errors import OutputError
from lending_club_pipeline.files.atomic import Publication, replacing
from lending_club_pipeline.files.sharing import Sharing
from lending_club_pipeline.storage.folder_outputs import FolderOutputs
from lending_club_pipeline.storage.outputs import outputs_of

OWN_GROUP = grp.getgrgid(os.getgid()).gr_name


def mode_of(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


def publish(target: Path, text: str, sharing: Sharing) -> None:
    with Publication(sharing=sharing) as publication:
        publication.temp_path_for(target).write_text(text)


@pytest.mark.parametrize(
    ("given", "file", "folder"),
    [
        ({}, "0o600", "0o700"),
        ({"output_mode": "0640"}, "0o640", "0o750"),
        ({"output_mode": "644"}, "0o644", "0o755"),
        ({"output_mode": "0660", "output_group": OWN_GROUP}, "0o660", "0o770"),
        ({"output_group": str(os.getgid())}, "0o600", "0o700"),
    ],
)
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_files_and_the_folders_made_for_them_have_the_rights_of_the_settings(
    tmp_path: Path, given: dict[str, str], file: str, folder: str, umask: int
) -> None:
    os.umask(umask)
    target = tmp_path / "share" / "outputs" / "account_summary.csv"

    for text in ("first", "second"):
        outputs = outputs_of(load_settings({"output_path": target.parent, **given}))
        assert isinstance(outputs, FolderOutputs)
        publish(target, text, outputs.sharing)

        assert (target.read_text(), mode_of(target)) == (text, file)
        assert [mode_of(it) for it in target.parents[:2]] == [folder, folder]
        assert target.stat().st_gid == os.getgid()


def test_the_rights_of_a_folder_that_is_there_stay(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)

    publish(tmp_path / "report.html", "", Sharing(0o644))

    assert mode_of(tmp_path) == "0o711"


def test_a_group_that_is_unknown_publishes_nothing_and_is_named(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("last good")

    with pytest.raises(OutputError, match="OUTPUT_GROUP=no-such-group is unknown here"):
        publish(target, "new", Sharing(group="no-such-group"))

    assert target.read_text() == "last good"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_and_the_file_that_it_leads_to_is_replaced(
    tmp_path: Path, *, is_there: bool
) -> None:
    outputs, share = tmp_path / "outputs", tmp_path / "share"
    outputs.mkdir()
    share.mkdir()
    link, shared = outputs / "account_summary.csv", share / "summary.csv"
    if is_there:
        shared.write_text("old")
    hop = outputs / "hop"
    hop.symlink_to(shared)
    link.symlink_to("hop")

    publish(link, "new", Sharing(0o644))

    assert (link.is_symlink(), hop.is_symlink()) == (True, True)
    assert not shared.is_symlink()
    assert (shared.read_text(), mode_of(shared)) == ("new", "0o644")
    assert {it.name for it in (*outputs.iterdir(), *share.iterdir())} == {
        "account_summary.csv", "hop", "summary.csv"
    }  # fmt: skip


def test_a_link_to_itself_is_an_error_of_one_line(tmp_path: Path) -> None:
    link = tmp_path / "report.html"
    link.symlink_to(link.name)

    with pytest.raises(OutputError) as caught, replacing(link):
        pass

    assert str(link) in str(caught.value)
    assert link.is_symlink()
