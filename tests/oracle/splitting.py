"""Bytes of one file -> landed and rejected records, or a refusal of the file."""

from dataclasses import dataclass, field

from tests.oracle.cleaning import lower_ascii, strip

LONGEST_RECORD = 2 * 1024 * 1024
LONGEST_SHOWN = 10_000
BOM = b"\xef\xbb\xbf"
LF, CR, QUOTE, COMMA, SPACE = 10, 13, ord('"'), ord(","), ord(" ")


@dataclass(eq=False)
class Refused(Exception):  # noqa: N818 - it is also a result
    """Why a whole file, and with it the delivery, is refused.

    Attributes:
        file: name of the file.
        why: short name of the cause.
        line: physical line, where one is to blame.
    """

    file: str
    why: str
    line: int | None = None


@dataclass(frozen=True)
class Landed:
    """A record that splits, with its declared fields as they came."""

    record_number: int
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Rejected:
    """A record that does not split."""

    line_number: int
    reason: str
    raw: str


@dataclass
class SplitFile:
    """What one file holds."""

    landed: list[Landed] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    extra_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """One record as it lies in the file.

    Attributes:
        start: position of its first byte.
        end: position behind its last byte, line end not included.
        fields: its fields, quotes resolved; those before the quote that breaks it, if one does.
        broken_quote: position of the quote that breaks it.
        bad_close: position of the quote that seems to close it, if there is one.
    """

    start: int
    end: int
    fields: tuple[bytes, ...]
    broken_quote: int | None = None
    bad_close: int | None = None


def split(name: str, content: bytes, columns: tuple[str, ...]) -> SplitFile:
    """Split a file of which `columns` are required.

    Raises:
        Refused: the file cannot be used as a whole.
    """
    text = content.removeprefix(BOM)
    records = _records(name, text)
    if not records:
        raise Refused(name, "empty")
    header, body = _header(name, records[0], columns), records[1:]
    if not body:
        raise Refused(name, "header_only")
    positions = [header.index(lower_ascii(column)) for column in columns]
    lines = _LineCounter(text, _line_end_at(text, records[0].end))
    result = SplitFile(extra_columns=_extra(records[0], positions))
    for record in body:
        raw = text[record.start : record.end]
        reason = _reason(record, raw, len(header))
        if reason is None:
            fields = tuple(record.fields[at].decode() for at in positions)
            result.landed.append(Landed(len(result.landed) + 1, fields))
        else:
            shown = raw.decode("utf-8", "replace")[:LONGEST_SHOWN]
            result.rejected.append(Rejected(lines.line_of(record.start), reason, shown))
    return result


def _reason(record: Record, raw: bytes, width: int) -> str | None:
    """Why a record is rejected; what made it unreadable comes before what follows from it."""
    if len(raw) > LONGEST_RECORD:
        return "record_too_long"
    try:
        raw.decode()
    except UnicodeDecodeError:
        return "record_not_utf8"
    if record.broken_quote is not None:
        return "record_broken_quoting"
    if len(record.fields) != width:
        return "record_wrong_number_of_fields"
    return None


def _header(name: str, record: Record, columns: tuple[str, ...]) -> list[str]:
    if record.broken_quote is not None:
        raise Refused(name, "header_broken")
    try:
        names = [lower_ascii(strip(field.decode())) for field in record.fields]
    except UnicodeDecodeError:
        raise Refused(name, "header_not_utf8") from None
    filled = [it for it in names if it != ""]
    if len(filled) != len(set(filled)):
        raise Refused(name, "column_duplicate")
    if any(lower_ascii(column) not in names for column in columns):
        raise Refused(name, "column_missing")
    return names


def _extra(record: Record, positions: list[int]) -> tuple[str, ...]:
    names = [strip(field.decode()) for field in record.fields]
    return tuple(name for at, name in enumerate(names) if at not in positions)


def _records(name: str, text: bytes) -> list[Record]:
    """Find all records, header first, and see that their lines end in one way."""
    records: list[Record] = []
    ends: list[bytes] = []
    at = 0
    while at < len(text):
        record = _record(text, at)
        line_end = _line_end_at(text, record.end)
        _refuse_open_quote(name, text, record, ends[0] if ends else line_end)
        if record.end > at:
            records.append(record)
        ends += [line_end] if line_end else []
        at = record.end + len(line_end)
    if len(set(ends)) > 1:
        raise Refused(name, "mixed_line_ends")
    return records


def _refuse_open_quote(name: str, text: bytes, record: Record, line_end: bytes) -> None:
    if record.broken_quote is None:
        return
    lines = _LineCounter(text, line_end)
    line = lines.line_of(record.broken_quote)
    if record.bad_close is None or lines.line_of(record.bad_close) > line:
        raise Refused(name, "quote_left_open", line)


def _record(text: bytes, start: int) -> Record:
    fields: list[bytes] = []
    at = start
    while True:
        opened = _behind_spaces(text, at)
        if text[opened : opened + 1] == b'"':
            content, closed = _quoted(text, opened)
            if closed is None:
                return Record(start, len(text), tuple(fields), opened)
            at = _behind_spaces(text, closed + 1)
            if not (at == len(text) or text[at] in (COMMA, LF, CR)):
                end = _next_line_end(text, closed)
                return Record(start, end, tuple(fields), opened, closed)
        else:
            opened, at = at, _next(text, at, (COMMA, LF, CR))
            content = text[opened:at]
        fields.append(content)
        if at == len(text) or text[at] != COMMA:
            return Record(start, at, tuple(fields))
        at += 1


def _quoted(text: bytes, opened: int) -> tuple[bytes, int | None]:
    """Return what the quote at `opened` holds, and where it closes."""
    content = bytearray()
    at = opened + 1
    while at < len(text):
        if text[at] != QUOTE:
            content.append(text[at])
        elif text[at + 1 : at + 2] == b'"':
            content.append(QUOTE)
            at += 1
        else:
            return bytes(content), at
        at += 1
    return bytes(content), None


def _behind_spaces(text: bytes, at: int) -> int:
    while at < len(text) and text[at] == SPACE:
        at += 1
    return at


def _next(text: bytes, at: int, wanted: tuple[int, ...]) -> int:
    while at < len(text) and text[at] not in wanted:
        at += 1
    return at


def _next_line_end(text: bytes, at: int) -> int:
    return _next(text, at, (LF, CR))


def _line_end_at(text: bytes, at: int) -> bytes:
    if text[at : at + 2] == b"\r\n":
        return b"\r\n"
    return text[at : at + 1]


class _LineCounter:
    """Physical lines: they end as the records of the file do, a CRLF with its LF."""

    def __init__(self, text: bytes, line_end: bytes) -> None:
        self.text = text
        self.end = CR if line_end == b"\r" else LF
        self.at = 0
        self.line = 1

    def line_of(self, position: int) -> int:
        """Number of the line of a position, which may not lie before the last one asked for."""
        while self.at < position:
            self.line += self.text[self.at] == self.end
            self.at += 1
        return self.line
