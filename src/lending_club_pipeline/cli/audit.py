"""`lending-club audit verify`: check a sealed log for changes."""

from pathlib import Path

import click

from lending_club_pipeline.cli.conventions import FOLDER, exit_codes


@click.group()
def audit() -> None:
    """Prove who did what."""


@audit.command(epilog=exit_codes())
@click.argument("journal", type=FOLDER)
@click.option(
    "--key-file", type=FOLDER, required=True, help="File with the verification key, kept elsewhere."
)
def verify(journal: Path, key_file: Path) -> None:
    """Check that nobody changed a sealed log.

    JOURNAL is the file that deploy/audit/seal.sh writes. Ends with 1 if it was changed, sealed with
    another key, or is not sealed.
    """
    from lending_club_pipeline.operating.audit import verify as verify_journal

    try:
        key = key_file.read_text().strip()
    except OSError as error:
        raise click.UsageError(f"{key_file} cannot be read: {error.strerror}.") from None
    found = verify_journal(journal, key)
    click.echo(f"{journal}: {found.entries} lines, none was changed. {found.validated}")
