"""What a file is shows by its bytes: what packs it, a binary table, JSON, Excel, or no table."""

import bz2
import gzip
import io
import json
import sys
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xlsxwriter
from polars.testing import assert_frame_equal

from pyheta.errors import DataError
from pyheta.pipeline.data.files import packing
from pyheta.pipeline.data.files.rawfile import RawTable, parse
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.read import read

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CSV = b"day,load\n2026-01-01,1.5\n2026-01-02,2.5\n"
HOURS = [datetime(2026, 1, 1, hour) for hour in range(3)]  # noqa: DTZ001
FRAME = pl.DataFrame({"day": HOURS, "load": [1.5, None, 2.25], "n": [1, 2, 3]})


def table(raw: bytes, **options: object) -> RawTable:
    return parse(raw, "x.bin", DataOptions.of(options))


def refusal(raw: bytes, **options: object) -> str:
    with pytest.raises(DataError) as caught:
        table(raw, **options)
    return str(caught.value)


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def workbook(**sheets: list[list[object]]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"default_date_format": "yyyy-mm-dd hh:mm"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    book.close()
    return buffer.getvalue()


PACKED = {
    "gzip": gzip.compress(CSV),
    "bzip2": bz2.compress(CSV),
    "zstd": zstd.compress(CSV),
    "zip": zipped(**{"data": CSV, "__MACOSX/data": b"x"}),
}


@pytest.mark.parametrize("kind", PACKED)
def test_what_is_packed_is_unpacked_and_told(kind: str) -> None:
    found = table(PACKED[kind])
    assert found.frame.rows() == [("2026-01-01", 1.5), ("2026-01-02", 2.5)]
    assert found.notes == (f"read as CSV, unpacked from {kind}",)


@pytest.mark.parametrize("kind", PACKED)
def test_a_damaged_packing_is_named(kind: str) -> None:
    assert f"damaged {kind}; get the file again" in refusal(PACKED[kind][:-15])


def test_a_packed_file_may_lie_in_another_but_not_deeper() -> None:
    twice = zipped(data=gzip.compress(CSV))
    assert table(twice).notes == ("read as CSV, unpacked from gzip, unpacked from zip",)
    assert "packed more than 2 times" in refusal(gzip.compress(twice))


def test_a_zip_with_two_files_names_them_and_an_empty_one_is_said() -> None:
    assert "2 files in one zip: 'a.csv', 'b.csv'; unpack it" in refusal(
        zipped(**{"a.csv": CSV, "b.csv": CSV})
    )
    assert "no file in the zip" in refusal(zipped(**{"folder/": b""}))
    assert "an empty zip file" in refusal(written(lambda b: zipfile.ZipFile(b, "w").close()))


@pytest.mark.parametrize("kind", PACKED)
def test_no_more_is_unpacked_than_is_read(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "MAX_BYTES", len(CSV) - 1)
    assert "unpacks to more than" in refusal(PACKED[kind])
    monkeypatch.setattr(packing, "MAX_BYTES", len(CSV))
    assert table(PACKED[kind]).frame.height == 2


TYPED = {
    "Parquet": written(FRAME.write_parquet),
    "Arrow": written(FRAME.write_ipc),
    "Arrow, compressed": written(lambda b: FRAME.write_ipc(b, compression="zstd")),
    "Arrow, a stream": written(FRAME.write_ipc_stream),
    "Arrow, of pandas": written(FRAME.to_pandas().to_feather),
}


@pytest.mark.parametrize("kind", TYPED)
def test_typed_columns_come_as_they_are(kind: str) -> None:
    found = table(TYPED[kind])
    assert found.rows.to_list() == [1, 2, 3]
    assert found.notes == (() if kind == "Parquet" else ("read as Arrow",))
    values = found.frame.with_columns(pl.col("day").cast(pl.Datetime("us")))
    assert_frame_equal(values, FRAME)


@pytest.mark.parametrize("kind", TYPED)
@pytest.mark.parametrize("kept", [8, 0.5])
def test_half_of_a_typed_file_is_refused(kind: str, kept: float) -> None:
    raw = TYPED[kind]
    half = raw[: int(kept * len(raw)) if kept < 1 else int(kept)]
    assert f"not a readable {kind.partition(',')[0]} file; write it anew" in refusal(half)


def test_an_index_of_pandas_without_a_name_is_called_index_or_left_out() -> None:
    times = pd.DataFrame({"a": [1.0, 2, 3]}, index=HOURS)
    found = table(written(times.to_parquet))
    assert found.frame.columns == ["a", "index"]
    assert found.notes[-1] == "column '__index_level_0__' is called 'index' here"
    counted = written(pd.DataFrame({"a": [1.0, 2], "__index_level_0__": [0, 1]}).to_parquet)
    assert table(counted).frame.columns == ["a"]


def test_columns_of_lists_are_not_made_but_keep_their_type() -> None:
    nested = pl.DataFrame({"a": [1.0, 2.0], "b": [[1, 2], [3]], "c": [{"d": 1}, {"d": 2}]})
    found = table(written(nested.write_parquet)).frame
    assert found.schema == nested.schema
    assert found["b"].null_count() == found["c"].null_count() == 2


@pytest.mark.parametrize("kind", ["parquet", "ipc", "stream"])
def test_a_small_file_with_a_large_content_is_refused_before_it_is_made(kind: str) -> None:
    rows = pa.table({"a": pa.nulls(0, pa.int8()).cast(pa.int8())})
    million = pa.table({"a": pa.array([1] * 10_000_000, pa.int8())})
    buffer = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    if kind == "parquet":
        from pyarrow import parquet

        with parquet.ParquetWriter(buffer, rows.schema) as writer:
            for _ in range(26):
                writer.write_table(million)
    else:
        new = pa.ipc.new_file if kind == "ipc" else pa.ipc.new_stream
        with new(buffer, rows.schema, options=options) as sink:
            for _ in range(26):
                sink.write_table(million)
    assert "more than 250,000,000 cells" in refusal(buffer.getvalue())


def test_a_buffer_that_promises_too_much_is_not_believed() -> None:
    raw = TYPED["Arrow, of pandas"]
    frame = pd.DataFrame({"a": [1.0] * 1000})
    raw = written(lambda b: frame.to_feather(b, compression="zstd"))
    place = raw.index((8000).to_bytes(8, "little"))
    large = raw[:place] + (1 << 50).to_bytes(8, "little") + raw[place + 8 :]
    assert "unpacks to more than 1024 MiB" in refusal(large)


def test_more_columns_than_are_read_are_refused() -> None:
    wide = pl.DataFrame({f"c{i}": [1.0] for i in range(10_001)})
    assert "10001 columns; at most 10000" in refusal(written(wide.write_parquet))


@pytest.mark.parametrize("name", ["a\0b", "\0row"])
def test_a_name_with_a_nul_is_refused(name: str) -> None:
    frame = pl.DataFrame({"day": [1], name: [2]})
    assert "a NUL in the name of column 2" in refusal(written(frame.write_parquet))
    assert "a NUL in the name of column 2" in refusal(json.dumps([{"day": 1, name: 2}]).encode())


def test_json_lines_and_lists_of_objects_are_read() -> None:
    rows = [{"day": "2026-01-01", "load": 1.5}, {"day": "2026-01-02", "load": None, "n": 2}]
    lines = "\n\n".join(map(json.dumps, rows)).encode()
    found = table(lines)
    assert found.notes == ("read as JSON lines",)
    assert found.rows.to_list() == [1, 3]
    as_list = table(json.dumps(rows, indent=1).encode())
    assert as_list.notes == ("read as a JSON list",)
    assert as_list.rows.to_list() == [1, 2]
    for frame in (found.frame, as_list.frame):
        assert frame.rows() == [("2026-01-01", 1.5, None), ("2026-01-02", None, 2)]


def test_json_cells_of_several_types_are_texts() -> None:
    assert table(b'[{"a": 1.5}, {"a": "NA"}]').frame["a"].to_list() == ["1.5", "NA"]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"error": "not found"}', "one JSON object, not rows; its keys: 'error'"),
        (b'{\n "a": [1, 2]\n}\n', "one JSON object, not rows; its keys: 'a'"),
        (b'{"cells": [], "nbformat": 4}', "this is a Jupyter notebook"),
        (b'{"a": 1}\n{"a": \n', "row 2: not JSON: '{\"a\": '"),
        (b'{"a": 1}\n{"a": NaN}\n', "row 2: not JSON: '{\"a\": NaN}' (JSON knows no NaN"),
        (b'{"a": 1}\n[2]\n', "x.bin: not JSON lines that read"),
        (b"[[1, 2], [3, 4]]", "not a JSON list of objects"),
        (b'[{"a": 1}, {"a": ', "not a JSON list of objects"),
        (b"[" * 100_000, "not a JSON list of objects"),
        (b'{"a":' * 100_000, "no JSON that reads"),
        (
            json.dumps([{f"k{i}": i} for i in range(20_000)]).encode(),
            "10001 columns; at most 10000",
        ),
        (
            b"\n".join(b'{"k%d":1}' % (i % 9_999) for i in range(30_000)),
            "more than 250,000,000 cells",
        ),
    ],
)
def test_json_that_holds_no_rows_is_refused(raw: bytes, message: str) -> None:
    assert message in refusal(raw)


def test_a_sheet_is_read_as_a_text_file_is() -> None:
    rows: list[list[object]] = [["Load of the town"], [], ["day", "load", "", "on"]]
    rows += [[HOURS[i], load, None, True] for i, load in enumerate((1.5, -0.015625))]
    found = table(workbook(load=rows, empty=[]))
    assert found.frame.columns == ["day", "load", "on"]
    assert found.frame["day"].to_list() == ["2026-01-01 00:00:00", "2026-01-01 01:00:00"]
    assert [float(cell) for cell in found.frame["load"]] == [1.5, -0.015625]
    assert found.rows.to_list() == [4, 5]
    assert found.notes[0] == "read as Excel, sheet 'load'"


def test_days_and_times_of_the_day_of_a_sheet_are_what_excel_shows() -> None:
    rows = [[date(2026, 1, 1 + hour // 24), time(hour % 24), hour] for hour in range(72)]
    found = read(workbook(load=[["day", "time", "a"], *rows]), "x.xlsx", DataOptions())
    assert found.times == ("day", "time")
    assert found.cadence.name == "every hour"
    assert found.frame["a"].to_list() == list(range(72))


def test_several_sheets_are_asked_about_and_the_answer_is_taken() -> None:
    raw = workbook(one=[["day", "a"], ["2026-01-01", 1]], two=[["day", "b"], ["2026-01-01", 2]])
    assert "sheets with data: 'one', 'two'; write under dataset: `sheet: one` (or" in refusal(raw)
    assert table(raw, sheet="two").frame.columns == ["day", "b"]
    assert "no sheet 'tow'; did you mean 'two'?" in refusal(raw, sheet="tow")


def test_a_cell_in_the_last_corner_of_a_sheet_makes_no_others() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet()
    sheet.write(0, 0, 1)
    sheet.write(1_048_575, 9_000, 1)
    book.close()
    assert "more than 250,000,000 cells" in refusal(buffer.getvalue())


def test_without_fastexcel_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    assert "pip install 'pyheta[excel]'" in refusal(workbook(one=[["a", "b"], [1, 2]]))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a Git LFS pointer"),
        (b"<!DOCTYPE html>\n<html><head></head></html>\n", "an HTML page"),
        (b"\xef\xbb\xbf \n<html>", "an HTML page"),
        (b"<?xml version='1.0'?><rows/>", "XML"),
        (b"\xef\xbb\xbf<Error><Code>AccessDenied</Code></Error>", "XML"),
        (b"# by x\n@relation x\n@attribute y string\n@frequency hourly\n@data\n", "a .tsf file"),
        (b"% c\n@RELATION x\n@ATTRIBUTE a NUMERIC\n@DATA\n1\n", "an ARFF"),
        (b"BEGIN:VCALENDAR\n", "a calendar"),
        (bytes(257) + b"ustar\x0000", "looks like tar"),
        (zipped(**{"a.npy": b"", "b.npy": b""}), "looks like NumPy arrays"),
        (zipped(**{"archive/data.pkl": b""}), "looks like a pickle of PyTorch"),
        (zipped(**{"xl/workbook.bin": b""}), "looks like a binary Excel file"),
        (zipped(**{"content.xml": b"", "mimetype": b""}), "looks like an OpenDocument file"),
        (bytes(range(1, 9)) * 40 + b"\xff", "not a text, and no other file that is known"),
        (b"day,a\n2026-01-01,\x00\n", "NUL at byte 17"),
        (b"", "the file is empty"),
        (b" \n\t", "the file is empty"),
        (gzip.compress(b"", mtime=0), "the file is empty"),
    ],
)
def test_what_holds_no_table_is_called_what_it_is(raw: bytes, message: str) -> None:
    assert message in refusal(raw)


@pytest.mark.parametrize("option", ["separator", "decimal", "encoding", "comment"])
def test_an_option_of_texts_says_nothing_about_other_files(option: str) -> None:
    value = {"separator": ";", "decimal": ",", "encoding": "utf-8", "comment": "#"}[option]
    message = f"`{option}` says nothing about a file in Parquet; remove it"
    assert message in refusal(TYPED["Parquet"], **{option: value})
