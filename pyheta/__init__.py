"""PyHeta: large-scale time-series experiments from one YAML sweep. Importing it loads nothing
heavy.
"""

__version__ = "0.1.0"
