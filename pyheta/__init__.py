"""PyHeta: large-scale time-series experiments from one YAML sweep. Importing it is cheap."""

__version__ = "0.2.0"
