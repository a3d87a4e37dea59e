"""Words and numbers for people, JSON for programs."""

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from pyheta.screen import Screen, count, duration, plain, right, table, to_json
from pyheta.steps import State


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0123, "0.012 s"),
        (1.25, "1.2 s"),
        (42.4, "42 s"),
        (59.9, "1 min 00 s"),
        (61, "1 min 01 s"),
        (3600 * 3 + 60 * 7, "3 h 07 min"),
        (86400 * 2 + 3600 * 5, "2 d 5 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_count_agrees_with_its_word() -> None:
    assert [count(1, "run"), count(12_000, "run"), count(2, "process", "processes")] == [
        "1 run",
        "12,000 runs",
        "2 processes",
    ]


@settings(deadline=None, max_examples=100)
@given(st.text())
def test_text_from_outside_has_no_control_character_but_tabs_and_line_ends(text: str) -> None:
    left = [letter for letter in plain(text) if ord(letter) < 32 or 127 <= ord(letter) < 160]
    assert set(left) <= {"\t", "\n"}


def test_escape_sequences_vanish_whole() -> None:
    assert plain("\x1b[1;31mred\x1b[0m\r\x00") == "red"


def test_json_knows_what_rows_hold() -> None:
    @dataclass(frozen=True, slots=True)
    class Row:
        state: State
        when: datetime
        id: UUID
        path: Path

    row = Row(State.QUEUED, datetime(2026, 1, 1, tzinfo=UTC), UUID(int=1), Path("a"))
    assert json.loads(to_json([row])) == [
        {
            "state": "queued",
            "when": "2026-01-01T00:00:00+00:00",
            "id": "00000000-0000-0000-0000-000000000001",
            "path": "a",
        }
    ]


def test_json_refuses_what_it_does_not_know() -> None:
    with pytest.raises(TypeError, match="no JSON for object"):
        to_json(object())


def test_results_go_to_standard_output_and_notes_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = Screen()
    screen.show(Text("result"))
    screen.note("note")
    screen.warn("warning")
    assert capsys.readouterr() == ("result\n", "note\npyheta: warning: warning\n")


def test_quiet_leaves_out_notes_and_keeps_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(quiet=True)
    screen.note("note")
    screen.warn("warning")
    assert capsys.readouterr() == ("", "pyheta: warning: warning\n")


def test_markup_in_results_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    shown = table("name")
    shown.add_row("[bold]:smile:[/bold]")
    Screen().show(shown)
    assert "[bold]:smile:[/bold]" in capsys.readouterr().out


def test_numbers_are_never_broken_however_narrow_the_screen() -> None:
    screen = Screen()
    screen.out.width, screen.out.file = 10, io.StringIO()
    shown = table("name", *right("rmse"))
    shown.add_row("a rather long name", "0.12345 ± 0.00001")
    screen.show(shown)
    assert "0.12345 ± 0.00001" in screen.out.file.getvalue()


def test_numbers_too_wide_for_a_screen_leave_room_for_what_names_their_rows() -> None:
    # Given ten columns of numbers, twice as wide as the screen
    shown = table("net.name", *right(*(f"fold {n}" for n in range(10))))
    shown.add_row("nlinear", *["0.838 ± 0.096"] * 10)
    # When
    out = io.StringIO()
    Console(file=out, width=80, color_system=None).print(shown, crop=False)
    # Then its lines are longer than the screen, and none is broken
    head, _, row = out.getvalue().splitlines()
    assert head.startswith("net.name ")
    assert row.split() == ["nlinear", *["0.838", "±", "0.096"] * 10]
