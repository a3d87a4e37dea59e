"""Whole epochs of small nets as compiled functions without torch (see `engines/compiled.py`)."""

LINE = 64  # bytes of a line of the cache: where arrays begin, so that no vector touches two
TILE = 8  # rows that a tile of a product takes at once


def padded(rows: int) -> int:
    """Rows that tiles cover: those beyond `rows` stay zero. A single row is quicker without."""
    return rows if rows % TILE == 1 else (rows + TILE - 1) // TILE * TILE
