"""What is written is what is read, however it is written; and no bytes do more than be refused."""

import csv
import io
from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyheta.errors import DataError
from pyheta.pipeline.data.files.rawfile import RawTable, parse
from pyheta.pipeline.data.options import DataOptions

Write = Callable[[float], str]

LETTERS = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"))
WORDS = st.text(LETTERS, max_size=6).map(lambda text: f"w{text}")
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
FORMS: list[Write] = [repr, "{:.6f}".format, "{:.3e}".format, "{:.17g}".format, "{:.25f}".format]


def table(raw: bytes, **options: object) -> RawTable:
    return parse(raw, "x", DataOptions.of(options))


@settings(deadline=None)
@given(st.lists(FLOATS, min_size=1, max_size=50), st.sampled_from(FORMS))
def test_numbers_have_the_bits_of_their_texts(values: list[float], form: Write) -> None:
    texts = [form(value) for value in values]
    raw = "n,a\n" + "".join(f"x,{text}\n" for text in texts)
    column = table(raw.encode()).frame["a"]
    expected = np.array([float(text) for text in texts])
    np.testing.assert_array_equal(column.cast(pl.Float64), expected)
    np.testing.assert_array_equal(
        np.signbit(column.cast(pl.Float64).to_numpy()), np.signbit(expected)
    )


@pytest.mark.parametrize("late", ["", "x", "inf", "1e400", "1.0.0", " ", "NaN", '"2,5"'])
def test_a_cell_that_is_no_number_far_down_keeps_its_text(late: str) -> None:
    raw = "n,a,b\n" + "x,1.5,2.5\n" * 20_000 + f"x,{late},3.5\n"
    frame = table(raw.encode()).frame
    assert frame["a"].dtype == pl.String
    assert frame["b"].to_list() == [2.5] * 20_000 + [3.5]
    assert (frame["a"][-1] or "") == late.strip(chr(34))


@settings(deadline=None)
@given(
    st.lists(st.tuples(WORDS, st.integers(-(10**6), 10**6)), min_size=2, max_size=20),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
def test_what_csv_writes_in_any_dialect_is_read(
    rows: list[tuple[str, int]],
    separator: str,
    end: str,
    encoding: str,
    quoting: int,
) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator=end, quoting=quoting)  # type: ignore[arg-type] # the stubs have literals
    writer.writerow(["word", "number", "half"])
    writer.writerows([word, number, number / 2] for word, number in rows)
    frame = table(buffer.getvalue().encode(encoding), separator=separator).frame
    assert frame.columns == ["word", "number", "half"]
    assert [word or "" for word in frame["word"]] == [word for word, _ in rows]
    assert frame["number"].cast(pl.Int64).to_list() == [number for _, number in rows]
    assert frame["half"].cast(pl.Float64).to_list() == [number / 2 for _, number in rows]


@settings(deadline=None)
@given(
    st.lists(st.tuples(FLOATS, st.integers(0, 10**9)), min_size=2, max_size=20),
    st.sampled_from([("\t", "."), (";", ","), ("|", ",")]),
)
def test_what_pandas_writes_is_read_without_an_option(
    rows: list[tuple[float, int]], way: tuple[str, str]
) -> None:
    separator, decimal = way
    index = pd.date_range("2026-01-01", periods=len(rows), freq="h")
    frame = pd.DataFrame(rows, columns=["a", "b"], index=index)
    found = table(frame.to_csv(sep=separator, decimal=decimal).encode()).frame
    assert found.columns == ["index", "a", "b"]
    np.testing.assert_array_equal(found["a"].cast(pl.Float64), frame["a"])
    np.testing.assert_array_equal(found["b"].cast(pl.Int64), frame["b"])


@settings(deadline=None)
@given(st.lists(st.sampled_from(["row", "two lines", "empty", "comment"]), max_size=30))
def test_every_row_has_the_number_of_its_line(kinds: list[str]) -> None:
    lines, expected = ["# made", "day,note,a"], []
    for kind in [*kinds, "row"]:
        if kind in {"row", "two lines"}:
            expected.append(len(lines) + 1)
        text = {"row": "2026-01-01,x,1", "two lines": '2026-01-01,"x\ny",1', "empty": ""}
        lines += text.get(kind, "# a comment").split("\n")
    assert table("\n".join(lines).encode()).rows.to_list() == expected


def seeds() -> list[bytes]:
    frame = pl.DataFrame({"day": ["2026-01-01", "2026-01-02"], "a": [1.5, 2.5], "t": ["x;", None]})
    kinds: list[Callable[[io.BytesIO], object]] = [
        frame.write_parquet,
        frame.write_ipc,
        lambda buffer: frame.write_ipc(buffer, compression="zstd"),
        frame.write_ipc_stream,
        frame.write_ndjson,
        frame.write_json,
    ]
    texts = [frame.write_csv(), frame.write_csv(separator=";", quote_style="always")]
    return [*(written(kind) for kind in kinds), *(text.encode() for text in texts)]


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(seeds()), st.data())
def test_whatever_is_damaged_the_answer_is_a_table_or_a_data_error(
    raw: bytes, data: st.DataObject
) -> None:
    damaged = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(damaged)))
        width = data.draw(st.integers(0, 8))
        damaged[place : place + width] = data.draw(st.binary(max_size=8))
    try:
        found = table(bytes(damaged))
    except DataError as error:
        assert len(str(error)) < 500  # noqa: PT017 (either outcome is right)
    else:
        assert len(found.rows) == found.frame.height
