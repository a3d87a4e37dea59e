"""PostgreSQL holds the truth: every step is a row, and only guarded statements move it."""
