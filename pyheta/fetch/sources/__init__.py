"""PyHeta's own sources, a file each. `fetch/registry.py` has their names."""
