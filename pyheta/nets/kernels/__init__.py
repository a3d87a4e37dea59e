"""Whole epochs of small nets as compiled functions: the arithmetic of `nets/compiled.py`, without torch."""

LINE = 64  # bytes of a line of the cache: where arrays begin, so that no vector touches two
TILE = 8  # arrays have a multiple of so many rows, which tiles of a product cover without single rows
