"""A text file is read in whatever way people and programs write tables; what is found is told."""

import pytest

from pyheta.errors import DataError
from pyheta.pipeline.data.files.rawfile import RawTable, parse
from pyheta.pipeline.data.options import DataOptions

DAYS = [f"2026-01-{day:02}" for day in range(1, 6)]
LOADS = [1.5, -2.25, 3.125, 1234.5, 0.5]
WINDS = [7, 8, 9, 10, 12]


def table(raw: str | bytes, **options: object) -> RawTable:
    content = raw if isinstance(raw, bytes) else raw.encode()
    return parse(content, "x.csv", DataOptions.of(options))


def refusal(raw: str | bytes, **options: object) -> str:
    with pytest.raises(DataError) as caught:
        table(raw, **options)
    assert len(str(caught.value)) < 400
    return str(caught.value)


def lines(separator: str = ",", decimal: str = ".") -> str:
    """Five rows: a day, a load and a wind."""
    loads = [str(load).replace(".", decimal) for load in LOADS]
    rows = zip(DAYS, loads, map(str, WINDS), strict=True)
    return "".join(separator.join(row) + "\n" for row in rows)


def assert_is_the_table(found: RawTable, first_row: int = 2, last_row: int | None = None) -> None:
    assert found.frame.columns == ["day", "load", "wind"]
    assert found.frame["day"].str.strip_chars().to_list() == DAYS
    assert [float(cell) for cell in found.frame["load"]] == LOADS
    assert [float(cell) for cell in found.frame["wind"]] == WINDS
    assert found.rows[0] == first_row
    assert found.rows[-1] == (last_row or first_row + 4)


PLAIN = "day,load,wind\n" + lines()


@pytest.mark.parametrize(
    "raw",
    [
        PLAIN,
        PLAIN + "\n \n\n",
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace("\n", "\r\r\n"),
        PLAIN.replace("\n", "\r\n", 2),
        PLAIN + "\x1a",
        "day, load , wind\n" + lines(", "),
        '"day","load","wind"\n' + lines(),
        PLAIN + ",,\n,,\n",
    ],
)
def test_a_plain_table_needs_no_word(raw: str) -> None:
    found = table(raw)
    assert_is_the_table(found)
    assert not found.notes


@pytest.mark.parametrize(
    ("separator", "decimal", "note"),
    [
        (";", ",", "read as CSV with ';' between cells and a decimal comma"),
        (";", ".", "read as CSV with ';' between cells"),
        ("\t", ",", "read as CSV with tabs between cells and a decimal comma"),
        ("\t", ".", "read as CSV with tabs between cells"),
        ("|", ".", "read as CSV with '|' between cells"),
    ],
)
def test_separator_and_decimal_sign_are_found_and_told(
    separator: str, decimal: str, note: str
) -> None:
    found = table(separator.join(("day", "load", "wind")) + "\n" + lines(separator, decimal))
    assert_is_the_table(found)
    assert found.notes == (note,)


@pytest.mark.parametrize(
    ("before", "first_row", "note"),
    [
        ("Load of the town\n\nday,load,wind\n", 4, "1 line is skipped above"),
        ("Load,,\n,,\nday,load,wind\n", 4, "1 line is skipped above"),
        ("place,lat,lon,height\nBern,46.9,7.4,553\n\nday,load,wind\n", 5, "2 lines are skipped"),
        ('a "quoted" title\nday,load,wind\n', 3, "1 line is skipped above"),
        ("day,load,wind\n,[MW],m/s\n", 3, "a line of units is skipped below"),
        ("day,load,wind\nyyyy-mm-dd,MW,(m/s)\n", 3, "a line of units is skipped below"),
        ("# made\n# today\nday,load,wind\n", 4, "lines that begin with '#' are skipped"),
        ("# made\n\n# day,load,wind\n", 4, "lines that begin with '#' are skipped"),
        ("sep=,\nday,load,wind\n", 3, ""),
        ("day,load,wind\n\n", 3, ""),
    ],
)
def test_what_stands_around_the_names_is_no_row(before: str, first_row: int, note: str) -> None:
    found = table(before + lines())
    assert_is_the_table(found, first_row)
    assert note in " ".join(found.notes)
    assert bool(note) == bool(found.notes)


def test_a_declared_separator_is_taken_as_it_is() -> None:
    assert_is_the_table(table("sep=;\nday;load;wind\n" + lines(";", ",")), first_row=3)


@pytest.mark.parametrize(
    ("after", "note"),
    [
        ("\nSource: own counting\n", "the last line is no row: 'Source: own counting'"),
        ("Source\n\nP: power\n", "the last 2 lines are no rows: 'Source'"),
    ],
)
def test_what_stands_below_the_rows_is_none(after: str, note: str) -> None:
    found = table(PLAIN + after)
    assert_is_the_table(found)
    assert found.notes == (note,)


def test_a_line_of_totals_is_asked_about_and_the_printed_option_skips_it() -> None:
    raw = PLAIN + "Total,1237.375,46\n"
    assert "row 7: 'Total' is no row like the others" in refusal(raw)
    assert "write under dataset: `comment: Total` to skip" in refusal(raw)
    assert_is_the_table(table(raw, comment="Total"))


def test_empty_lines_and_comments_between_rows_are_skipped_and_rows_keep_their_line() -> None:
    first, second, rest = lines().split("\n", 2)
    raw = f"# made\nday,load,wind\n{first}\n# a gap\n\n{second}\n  \n{rest}"
    found = table(raw)
    assert_is_the_table(found, first_row=3, last_row=10)
    assert found.rows.to_list() == [3, 6, 8, 9, 10]
    assert "2 empty lines are skipped between rows" in found.notes
    assert table(f"day,load,wind\n{first}\n  \n{second}\n{rest}").rows.to_list() == [2, 4, 5, 6, 7]


def test_a_mark_of_comments_that_cells_begin_with_is_none() -> None:
    found = table("colour,a\n#fff,1\n#abc,2\n")
    assert found.frame["colour"].to_list() == ["#fff", "#abc"]


def test_rows_of_several_lines_are_numbered_by_their_first() -> None:
    found = table('day,note,"lo\nad"\n2026-01-01,"two\nlines",1\n2026-01-02,one,2\n')
    assert found.frame.columns == ["day", "note", "lo ad"]
    assert found.rows.to_list() == [3, 5]


def test_quotes_inside_cells_and_after_spaces_are_read() -> None:
    found = table('"day", "pipe", "a"\n"2026-01-01", 5" wide, "1.5" \n2026-01-02, "x, y", 2.5\n')
    assert found.frame.rows() == [("2026-01-01", '5" wide', 1.5), ("2026-01-02", "x, y", 2.5)]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (PLAIN + "2026-01-06,1,2,3\n", "x.csv: row 7: 4 fields, but the header has 3"),
        ('# c\nday,load\n\n"a\nb",1\nc,1,2\n', "row 6: 3 fields, but the header has 2"),
        (PLAIN + '2026-01-06,"1,2\n', "row 7: not well-formed CSV (unexpected end of data)"),
        (PLAIN + '2026-01-06,"1"x,2\n', "row 7: not well-formed CSV"),
        ("day,load\n" + "2026-01-01,1\n" * 3000 + "2026-01-01,1,1\n", "row 3002: 3 fields"),
    ],
)
def test_a_record_that_is_not_well_formed_is_named_by_its_line(raw: str, message: str) -> None:
    assert message in refusal(raw)


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-16", "read as CSV, in UTF-16"),
        ("utf-16-le", "read as CSV, in UTF-16"),
        ("utf-16-be", "read as CSV, in UTF-16"),
        ("latin-1", "read as CSV, in Latin-1 (cp1252)"),
        ("utf-8-sig", ""),
    ],
)
def test_the_encoding_is_found(encoding: str, note: str) -> None:
    found = table("day,Wärme °C\n2026-01-01,1.5\n2026-01-02,2.5\n".encode(encoding))
    assert found.frame.columns == ["day", "Wärme °C"]
    assert found.notes == ((note,) if note else ())


def test_one_byte_of_another_encoding_is_asked_about() -> None:
    raw = f"day,Größe,wind\n{lines()}".encode() + b"2026-01-06,1,\xb0\n"
    place = raw.index(b"\xb0")
    assert refusal(raw) == (
        f"x.csv: row 7: most is in UTF-8, but byte {place} is not; mend the line, or "
        "write under dataset: `encoding: cp1252` (or what else all of it is in)"
    )
    assert table(raw, encoding="cp1252").frame.height == len(DAYS) + 1


def test_the_encoding_that_is_written_is_the_one() -> None:
    raw = "day,温度\n2026-01-01,1\n".encode("shift-jis")
    assert table(raw, encoding="shift-jis").frame.columns == ["day", "温度"]
    assert "not in utf-8 at byte 4" in refusal(raw, encoding="utf-8")
    assert "not in euc_jp" in refusal("day,ü\n".encode("latin-1"), encoding="euc-jp")


@pytest.mark.parametrize(
    ("cells", "separator", "numbers"),
    [
        (["1.234,5", "-2,25"], ";", [1234.5, -2.25]),
        (["1 234,5", "12\u00a0345,25"], ";", [1234.5, 12345.25]),
        (["1'234.5", "12\u2019345"], ";", [1234.5, 12345]),
        (["1\u202f234", "5"], ",", [1234, 5]),
        (['"1,234"', '"12,345"'], ",", [1234, 12345]),
        (['"1,5"', '"2,25"'], ",", [1.5, 2.25]),
        (["1,234", "1,5"], ";", [1.234, 1.5]),
        (["1,234", "2,345"], ";", [1.234, 2.345]),
        (["1,234", "1,234.5"], "\t", [1234, 1234.5]),
        (["1,234,567", "1,234"], "\t", [1234567, 1234]),
        (["0,123", "1,234"], "\t", [0.123, 1.234]),
        (["1,5E+03", ",5"], ";", [1500, 0.5]),
    ],
)
def test_numbers_are_read_as_the_file_writes_them(
    cells: list[str], separator: str, numbers: list[float]
) -> None:
    rows = "".join(f"{day}{separator}{cell}\n" for day, cell in zip(DAYS, cells, strict=False))
    found = table(f"day{separator}a\n{rows}")
    assert [float(cell) for cell in found.frame["a"]] == numbers


def test_other_columns_decide_what_a_point_or_a_comma_is() -> None:
    german = table("day;a;b\n2026-01-01;1.234;0,5\n2026-01-02;2.345;1,5\n")
    assert german.frame["a"].to_list() == ["1234", "2345"]
    assert german.frame["b"].to_list() == [0.5, 1.5]
    english = table("day\ta\tb\n2026-01-01\t1,234\t0.5\n2026-01-02\t2,345\t1.5\n")
    assert english.frame["a"].to_list() == ["1234", "2345"]


def test_a_comma_that_may_be_either_is_asked_about_and_each_answer_is_taken() -> None:
    raw = "day\ta\n2026-01-01\t1,234\n2026-01-02\t2,345\n"
    assert "'1,234' in column 'a' may be a fraction or thousands" in refusal(raw)
    assert '`decimal: ","` for a fraction, or `decimal: "."` for thousands' in refusal(raw)
    assert table(raw, decimal=",").frame["a"].to_list() == [1.234, 2.345]
    assert table(raw, decimal=".").frame["a"].to_list() == ["1234", "2345"]


def test_a_cell_that_is_no_number_stays_as_it_stands() -> None:
    found = table("day;a\n01.02.2026;1,5\n02.02.2026;x,y\n")
    assert found.frame["a"].to_list() == ["1.5", "x,y"]
    assert found.frame["day"].to_list() == ["01.02.2026", "02.02.2026"]


@pytest.mark.parametrize(
    ("raw", "first_row"),
    [
        (lines(), 1),
        ("title\n" + lines(), 2),
        ("5.1,3.5\n4.9,3.0\n4.7,3.2\n", 1),
        ("0,1\n1,3\n2,5\n", 1),
    ],
)
def test_a_file_without_names_is_refused(raw: str, first_row: int) -> None:
    message = refusal(raw)
    assert "its first line is data" in message or "but 1 name" in message
    if first_row == 1:
        assert "add a line with names above it" in message
        assert "or write under dataset: `skip_rows: 0` if these are names" in message


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        ("0,1,2\n1.5,2,3\n4,5,6\n7,8,9\n", ["0", "1", "2"]),
        ("land,2010,2011\nA,1.5,2\nB,3,4\n", ["land", "2010", "2011"]),
        ("day,0.5,1.0\n2026-01-01,1,2\n2026-01-02,1,2\n", ["day", "0.5", "1.0"]),
        (",0\n0,1.5\n1,2.5\n", ["0"]),
        ("<DATE>\t<OPEN>\n2026.01.01\t1.5\n2026.01.02\t2.5\n", ["<DATE>", "<OPEN>"]),
        ("#,day,a\n1,2026-01-01,5\n2,2026-01-02,6\n", ["day", "a"]),
    ],
)
def test_names_that_are_numbers_are_names(raw: str, names: list[str]) -> None:
    assert table(raw).frame.columns == names


def test_the_printed_option_takes_a_first_line_of_numbers_for_names() -> None:
    found = table("5,7\n1,2\n3,4\n", skip_rows=0)
    assert found.frame.columns == ["5", "7"]
    assert found.frame.height == 2


def test_two_lines_of_names_are_asked_about_and_each_answer_is_taken() -> None:
    raw = "day,load,wind\nDatum,Last,Wind\n" + lines()
    message = refusal(raw)
    assert "lines 1 ('day,load,wind') and 2 ('Datum,Last,Wind') both look like names" in message
    assert "`skip_rows: 0` for the first, or `skip_rows: 1` for the second" in message
    assert table(raw, skip_rows=1).frame.columns == ["Datum", "Last", "Wind"]
    assert table(raw, skip_rows=0).frame.columns == ["day", "load", "wind"]


def test_a_first_row_without_data_is_no_line_of_names() -> None:
    found = table("day,load\nNA,foo\n2026-01-02,1.5\n2026-01-03,2.5\n")
    assert found.frame.columns == ["day", "load"]
    assert found.frame["load"].to_list() == ["foo", "1.5", "2.5"]


def test_the_names_that_pandas_writes_in_several_lines_are_one_for_each_column() -> None:
    raw = "Price,Close,Open\nTicker,X,X\nDate,,\n2026-01-01,1.5,2\n2026-01-02,1,2\n2026-01-05,1,2\n"
    found = table(raw)
    assert found.frame.columns == ["Date", "Close", "Open"]
    assert found.notes == ("the names of the columns stand in 3 lines",)
    both = raw.replace("Ticker,X,X", "Ticker,X,Y")
    assert table(both).frame.columns == ["Date", "Close X", "Open Y"]


@pytest.mark.parametrize(
    ("raw", "columns", "note"),
    [
        (",a\n0,5.5\n1,6.5\n", ["a"], "column 1 has no name and counts the rows: it is left out"),
        ('"","a"\n"1",5\n"2",6\n', ["a"], "column 1 has no name and counts the rows"),
        ("a\tb\n1\t5\t7\n2\t6\t8\n", ["a", "b"], "column 1 has no name and counts the rows"),
        ("Unnamed: 0,a\n0,5\n1,6\n", ["a"], "column 'Unnamed: 0' counts the rows: it is left out"),
        (",a\n2026-01-01,5\n2026-01-02,6\n", ["index", "a"], "is called 'index' here"),
        (",index\n2026-01-01,5\n", ["index (without a name)", "index"], "is called 'index (wi"),
        ("d,a,\n2026-01-01,5,\n2026-01-02,6,\n", ["d", "a"], "column 3 has no name and is empty"),
        ("d,a\n2026-01-01,5,\n2026-01-02,6,\n", ["d", "a"], "column 3 has no name and is empty"),
        ("Unnamed: 0,a\n2026-01-01,5\n2026-01-02,6\n", ["Unnamed: 0", "a"], ""),
        ("obs,a\n1,5\n2,6\n", ["obs", "a"], ""),
    ],
)
def test_a_column_without_a_name_is_left_out_or_gets_one(
    raw: str, columns: list[str], note: str
) -> None:
    found = table(raw)
    assert found.frame.columns == columns
    assert note in " ".join(found.notes)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("day,\n2026-01-01,1\n2026-01-02,2\n", "column 2 has no name; name it"),
        ("day,a, a\n2026-01-01,1,2\n", "duplicate column 'a' (2 and 3)"),
        ("a b c\n1 2 3\n4 5 6\n", 'write under dataset: `separator: " "` if these are spaces'),
        ("a\n1,5\n2,5\n", "2 cells in a row, but 1 name"),
        ("a,b\n", "no line after the 3 that are skipped"),
        ("# only\n# comments\n", "nothing but comments"),
        (",".join(f"c{i}" for i in range(10_001)) + "\n", "10001 columns; at most 10000 are read"),
    ],
)
def test_what_is_no_table_is_refused(raw: str, message: str) -> None:
    options = {"skip_rows": 3} if "skipped" in message else {}
    assert message in refusal(raw, **options)


def test_more_cells_than_are_read_are_refused_before_they_are_made() -> None:
    names = ",".join(f"c{i}" for i in range(9_000))
    raw = f"{names}\n" + "1\n" * 30_000
    assert "30,001 rows of 9,000 columns are more than 250,000,000 cells" in refusal(raw)


def test_options_say_more_than_what_is_found() -> None:
    assert_is_the_table(table("day load  wind\n" + lines("   "), separator=" "))
    assert_is_the_table(table("a;b;c\nday,load,wind\n" + lines(), separator=",", skip_rows=1), 3)
    assert_is_the_table(table("day:load:wind\n" + lines(":"), separator=":"))
    assert_is_the_table(table("% x\n% y\nday,load,wind\n" + lines(), comment="%"), 4)
    assert table("a\n1,5\n2,5\n", decimal=",").frame["a"].to_list() == [1.5, 2.5]


def test_an_option_that_says_nothing_about_the_file_is_refused() -> None:
    assert "`sheet` says nothing about a file in CSV; remove it" in refusal(PLAIN, sheet="one")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoding": "utf-99"}, "unknown encoding 'utf-99'; did you mean 'utf-8'?"),
        ({"encoding": "hex"}, "unknown encoding 'hex'"),
        ({"separator": "x"}, "'x' cannot separate cells"),
        ({"separator": '"'}, "cannot separate cells"),
        ({"separator": "§"}, "cannot separate cells"),
    ],
)
def test_values_of_options_are_checked_before_a_file_is_read(
    options: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError) as caught:
        DataOptions.of(options)
    assert message in str(caught.value)


def test_a_line_drawn_below_the_names_is_none() -> None:
    found = table("| day | load |\n|-----|------|\n| 2026-01-01 | 1.5 |\n| 2026-01-02 | 2.5 |\n")
    assert found.frame.columns == ["day", "load"]
    assert found.frame.height == 2


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(("separator", "decimal"), [(",", "."), (";", ",")])
def test_names_that_stand_again_where_files_were_joined_are_no_row(
    separator: str, decimal: str, mark: str
) -> None:
    names = mark + separator.join(("day", "load", "wind")) + "\n"
    rows = lines(separator, decimal).splitlines(keepends=True)
    found = table("".join([names, *rows[:2], names, *rows[2:4], names, *rows[4:]]))
    assert "2 lines repeat the names of the columns and are skipped" in found.notes
    assert_is_the_table(found, last_row=8)


def test_names_stand_again_above_an_index_without_a_name_too() -> None:
    rows = [f"{row},{day},{row}.5" for row, day in enumerate(DAYS)]
    found = table("\n".join([",day,load", *rows[:3], ",day,load", *rows[3:]]))
    assert found.frame["day"].to_list() == DAYS
    assert found.rows.to_list() == [2, 3, 4, 6, 7]


def test_a_mark_of_the_encoding_inside_a_joined_file_is_no_character() -> None:
    days = lines().splitlines(keepends=True)
    assert_is_the_table(table("".join(["day,load,wind\n", *days[:2], "\ufeff", *days[2:]])))


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_table_as_r_writes_it_is_asked_about_and_the_answer_is_taken(quote: str) -> None:
    rows = [f'"{n}" {quote}{day}{quote} {n}.5' for n, day in enumerate(DAYS, start=1)]
    raw = "\n".join(['"day" "load"', *rows])
    assert 'write under dataset: `separator: " "` if these are spaces' in refusal(raw)
    found = table(raw, separator=" ").frame
    assert found["day"].to_list() == DAYS
    assert [float(cell) for cell in found["load"]] == [1.5, 2.5, 3.5, 4.5, 5.5]


def test_names_in_a_comment_are_found_above_an_empty_one() -> None:
    found = table("# by a station\n# day,load,wind\n#\n" + lines())
    assert_is_the_table(found, first_row=4)
