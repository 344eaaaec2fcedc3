"""Access to published files: mode, group, and links that lead to a share."""

import grp
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lending_club_pipeline.contract.errors import OutputError

_READ_BITS: Final = 0o444
_OWNER_ONLY: Final = 0o600


@dataclass(frozen=True)
class Sharing:
    """Mode and group of published files.

    Attributes:
        mode: permission bits of each file.
        group: name or number of the group; None keeps the folder's default.
    """

    mode: int = _OWNER_ONLY
    group: str | None = None

    def make_folder(self, folder: Path) -> None:
        """Make a missing folder that the readers of its files may search."""
        if folder.is_dir():
            return
        self.make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        self._set_access(folder, 0o700 | self.mode | (self.mode & _READ_BITS) >> 2)

    def apply(self, file: Path) -> None:
        """Set a file's group, then its mode: a change of the group clears bits.

        Raises:
            OutputError: there is no such group, or the user is not a member of it.
        """
        self._set_access(file, self.mode)

    def _set_access(self, path: Path, mode: int) -> None:
        if self.group is not None:
            try:
                os.chown(path, -1, _number_of(self.group))
            except (KeyError, PermissionError) as error:
                reason = "unknown here" if isinstance(error, KeyError) else "not one of this user's"
                raise OutputError(
                    f"{path}: the group OUTPUT_GROUP={self.group} is {reason}. Name a group of the "
                    "user who runs the pipeline. The last good outputs are unchanged."
                ) from error
        path.chmod(mode)


OWNER_ONLY: Final = Sharing()


def _number_of(group: str) -> int:
    return int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid


def behind_links(target: Path) -> Path:
    """Return the file to replace if `target` is a link: the link itself stays.

    Raises:
        OutputError: links lead in a circle.
    """
    try:
        return target.resolve() if target.is_symlink() else target
    except (OSError, RuntimeError) as error:
        raise OutputError(
            f"{target}: this link leads nowhere. Remove it, or let it lead to a file. "
            "The last good outputs are unchanged."
        ) from error
