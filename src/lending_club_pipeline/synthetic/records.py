"""SQL of both files: which records are dirty, and how their lines are written."""

from collections.abc import Mapping, Sequence
from typing import Final

from lending_club_pipeline.files.duckdb_paths import literal
from lending_club_pipeline.synthetic.dirt import (
    CONFLICTING_DUPLICATE,
    EXACT_DUPLICATE,
    DirtKind,
    kinds_of,
)
from lending_club_pipeline.synthetic.placements import Placement
from lending_club_pipeline.synthetic.pseudo_random import draw

_MILLION: Final = 1_000_000


def marked_records(
    placement: Placement, unusual: float, first: int, end: int, *stream: object
) -> str:
    """Return SQL for records with their dirt, and the record whose values they hold.

    The columns are `kind` (of dirt), `turn` (how many records of the kind came before), `origin`
    (another record for a duplicate, else the record itself) and `unusual` (a drawn number if the
    record is written in an unusual way). `kind` is NULL for a clean record, and `unusual`
    for a record that is written in the usual way.

    Args:
        placement: the dirt of the file.
        unusual: share of the clean records that are written in an unusual way.
        first: the first record, counted from 0.
        end: the record before which to stop.
        stream: random stream, with the seed.
    """
    numbered = f"""
        select range as record, {draw("range", *stream, "unusual")} as chance
        from range({first}, {end})
    """
    way = (
        f"case when chance % {_MILLION} < {round(unusual * _MILLION)} then chance // {_MILLION} end"
    )
    if not placement.dirty:
        return f"""
            select
                cast(null as varchar) as kind, cast(null as bigint) as turn, record as origin,
                {way} as unusual
            from ({numbered})
        """
    placed = f"select *, {placement.stretch('record')} as stretch from ({numbered})"
    return f"""
        select
            kind, turn, case when kind is null then {way} end as unusual,
            case when kind is null then record else {_origin(placement)} end as origin
        from (
            select *, {placement.stretch("other")} as other_stretch
            from (
                select
                    *,
                    case when is_dirty then {placement.turn("stretch")} end as kind,
                    stretch // {len(placement.turns)} as turn,
                    case
                        when is_dirty then chance % {placement.records}
                    end as other
                from (
                    select *, record = {placement.dirty_record("stretch")} as is_dirty
                    from ({placed})
                )
            )
        )
    """


def _origin(placement: Placement) -> str:
    """Return SQL for the record whose values a dirty one holds."""
    return f"""
        case kind
            when '{EXACT_DUPLICATE}' then {placement.clean_record("other", "other_stretch")}
            when '{CONFLICTING_DUPLICATE}' then {placement.dirty_record("(stretch - 1)")}
            else record
        end
    """


def lines(
    source_file: str,
    plain: str,
    columns: Mapping[str, str],
    special: Mapping[str, Mapping[str, str]],
    unusual: Sequence[Mapping[str, str]],
) -> str:
    """Return SQL for the lines of records, in one column `line`, line end included.

    Args:
        source_file: the file.
        plain: SQL of the records with everything that the other arguments use.
        columns: SQL of each column as a clean record has it.
        special: SQL of a column by kind of dirt, where the kind has no fixed texts.
        unusual: SQL of some columns, one after the other, for clean records that are written in
            an unusual way.
    """
    kinds = kinds_of(source_file)
    fields = ", ".join(
        f'{_field(column, sql, kinds, special.get(column, {}), unusual)} as "{column}"'
        for column, sql in columns.items()
    )
    whole = ", ',', ".join(f'"{column}"' for column in columns)
    broken = " ".join(
        f"when '{kind.name}' then {_in_turn(kind.records)}"
        for kind in kinds.values()
        if kind.records
    )
    return f"""
        select
            case
                when kind is null then concat({whole}, chr(10))
                else concat(case kind {broken} else concat({whole}) end, chr(10))
            end as line
        from (select kind, turn, {fields} from ({plain}))
    """


def _field(
    column: str,
    clean: str,
    kinds: Mapping[str, DirtKind],
    special: Mapping[str, str],
    unusual: Sequence[Mapping[str, str]],
) -> str:
    """Return SQL of one column; only rows that need them evaluate the rare cases."""
    by_kind = {
        name: _in_turn([_literal(text) for text in kind.texts[column]])
        for name, kind in kinds.items()
        if column in kind.texts
    }
    by_kind |= special
    dirty = " ".join(f"when '{name}' then {sql}" for name, sql in by_kind.items())
    rare = " ".join(
        f"when {at} then {texts[column]}" for at, texts in enumerate(unusual) if column in texts
    )
    return f"""
        case
            when kind is null and unusual is null then {clean}
            when kind is null then case unusual % {len(unusual)} {rare} else {clean} end
            else case kind {dirty} else {clean} end
        end
    """


def _in_turn(choices: Sequence[str]) -> str:
    if len(choices) == 1:
        return choices[0]
    cases = " ".join(f"when {at} then {choice}" for at, choice in enumerate(choices))
    return f"(case turn % {len(choices)} {cases} end)"


def _literal(text: str) -> str:
    # A NUL would end the statement.
    return "(" + literal(text).replace("\0", "' || chr(0) || '") + ")"
