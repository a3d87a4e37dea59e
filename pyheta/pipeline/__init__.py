"""From a data file to windows and metrics: Polars and numpy, no torch, no store."""
