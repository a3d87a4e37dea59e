"""PyHeta: large-scale time-series experiments from one YAML sweep. Importing it loads little."""

__version__ = "0.2.0"
