"""Whole epochs of small nets as compiled functions, without torch: what `nets/engines/compiled.py`
calls.
"""

LINE = 64  # bytes of a line of the cache: where arrays begin, so that no vector touches two
TILE = 8  # rows that a tile of a product takes at once


def padded(rows: int) -> int:
    """Rows that tiles cover; those beyond `rows` hold zeros and stay so. One alone is quicker than
    a tile.
    """
    return rows if rows % TILE == 1 else (rows + TILE - 1) // TILE * TILE
