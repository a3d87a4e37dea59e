"""Whole epochs of small nets as compiled functions: the arithmetic of `nets/compiled.py`, without torch."""

LINE = 64  # bytes of a line of the cache: where arrays begin, so that no vector touches two
TILE = 8  # rows that a product takes at once: arrays have a multiple of them
