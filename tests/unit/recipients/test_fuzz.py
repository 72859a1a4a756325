"""Any list, read with any options, gives a plan of all its rows or one InputError in one line."""

import csv
import gzip
import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st
from list_files import no_s3, workbook

from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.gateway import MessageType
from globe_sms.tasks.planning.make_plan import make_plan
from globe_sms.tasks.store import LocalStore
from globe_sms.tasks.vocabulary.errors import InputError

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "windows-1252", "shift_jis", "utf-7")
PACKS: tuple[Callable[[bytes], bytes], ...] = (
    bytes,
    bytes,
    bytes,
    gzip.compress,
    zstandard.compress,
    lambda data: gzip.compress(data[: len(data) // 2]) + gzip.compress(data[len(data) // 2 :]),
    lambda data: zstandard.compress(gzip.compress(data)),
    lambda data: gzip.compress(data) + bytes(512),
)
CELLS = st.one_of(
    st.sampled_from(
        ["+6581234567", "6581234567", "81234567", "6.58E+09", "6581234567.0", "", "n/a", "\u202a+65 8123 4567"]
    ),
    st.text(max_size=6),
    st.text(alphabet=',;|\t"\r\n\0\x1a\ufeff\u2028{}[]', max_size=6),
)
EDITS = st.lists(
    st.tuples(
        st.integers(0, 100_000),
        st.integers(0, 8),
        st.one_of(
            st.binary(max_size=4), st.sampled_from([b'"', b"\n", b"\r", b"\0", b",", b"\xff\xfe", b"PAR1", b"{"])
        ),
    ),
    max_size=4,
)


@dataclass(frozen=True)
class Case:
    """A list and the options to read it with."""

    data: bytes
    encoding: str | None = None
    no_header: bool = False
    number_column: str | None = None


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a real file of any format, encoding and compression, half of them damaged, and options to read it with."""
    width = draw(st.integers(1, 4))
    names = draw(st.lists(st.sampled_from(["name", "x y", "1", "", "Mobile No."]), min_size=width, max_size=width))
    names[draw(st.integers(0, width - 1))] = "phone"
    longest = width + draw(st.sampled_from([0, 0, 0, 1]))
    rows = draw(st.lists(st.lists(CELLS, min_size=1, max_size=longest), max_size=8))
    written = draw(st.sampled_from(("utf-8", "utf-8", "utf-8", *ENCODINGS)))
    form = draw(st.sampled_from(["csv", "csv", "ndjson", "parquet", "xlsx"]))
    if form == "csv":
        file = io.StringIO()
        quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
        ends = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
        cut = draw(st.sampled_from(",;|\t"))
        csv.writer(file, delimiter=cut, lineterminator=ends, quoting=quoting).writerows([names, *rows])
        data = file.getvalue().encode(written, "replace")
    elif form == "ndjson":
        lines = [json.dumps(dict(zip(names, row, strict=False)), ensure_ascii=draw(st.booleans())) for row in rows]
        data = "\n".join(lines).encode(written, "replace")
    elif form == "parquet":
        data = _parquet(names, rows, draw(st.sampled_from(_KINDS)))
    else:
        data = workbook([names, *rows])
    if form in {"csv", "ndjson"} or draw(st.sampled_from([False, False, True])):
        data = draw(st.sampled_from(PACKS))(data)
    if draw(st.booleans()):
        data = _damaged(data, draw(EDITS), draw(st.one_of(st.none(), st.integers(0, len(data)))))
    return Case(
        data,
        encoding=draw(st.sampled_from([None, written, written, *ENCODINGS])),
        no_header=draw(st.sampled_from([False, False, True])),
        number_column=draw(st.sampled_from([None, None, None, "phone", "phone", "1", "2", "", "\u00b2", '"'])),
    )


def _damaged(data: bytes, edits: list[tuple[int, int, bytes]], length: int | None) -> bytes:
    changed = bytearray(data)
    for place, size, put in edits:
        start = place % (len(changed) + 1)
        changed[start : start + size] = put
    return bytes(changed[:length])


def _parquet(names: list[str], rows: list[list[str]], kind: Callable[[pl.Series], pl.Series]) -> bytes:
    file = io.BytesIO()
    columns = {
        name: kind(pl.Series([row[place] if place < len(row) else None for row in rows], dtype=pl.String))
        for place, name in enumerate(names)
    }
    pl.DataFrame(columns).write_parquet(file)
    return file.getvalue()


_KINDS: tuple[Callable[[pl.Series], pl.Series], ...] = (
    lambda texts: texts,
    lambda texts: texts.cast(pl.Categorical),
    lambda texts: texts.cast(pl.Binary),
    lambda texts: texts.cast(pl.Int64, strict=False),
    lambda texts: texts.cast(pl.Float64, strict=False),
    lambda texts: texts.cast(pl.Decimal(20, 2), strict=False),
    lambda texts: texts.implode(),
    lambda texts: texts.to_frame("phone").to_struct("phone"),
)


@settings(max_examples=150)
@given(
    case=st.one_of(cases(), cases(), cases(), st.builds(Case, st.binary(max_size=300))),
    default_region=st.sampled_from([None, "SG"]),
)
@example(case=Case(b"PAR1" + bytes(8) + b"PAR1"), default_region=None)
@example(case=Case(b"phone\n" + b"1" * 200_000 + b"\n", no_header=True), default_region=None)
def test_any_list_gives_a_plan_or_one_line(case: Case, default_region: str | None) -> None:
    """A plan holds all rows in order; every error or panic of a parser becomes an InputError."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "list"
        path.write_bytes(case.data)
        config = CampaignConfig.checked(
            recipients=(str(path),),
            message="hello",
            type=MessageType.NOTIFY,
            results=str(folder),
            encoding=case.encoding,
            no_header=case.no_header,
            number_column=case.number_column,
            default_region=default_region,
        )
        try:
            plan, sources = make_plan(config, LocalStore(folder / "store"), no_s3, folder)
        except InputError as error:
            message = str(error)
            assert message.startswith(f"{path}: ")
            assert len(message.splitlines()) == 1
            return
        rows = plan.scan().collect()
        assert rows["row"].to_list() == list(range(rows.height))
        assert rows["source"].unique().to_list() in ([], [str(path)])
        assert (rows["status"].is_null() == rows["chunk"].is_not_null()).all()
        assert [source.uri for source in sources] == [str(path)]
