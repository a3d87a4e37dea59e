"""YAML text to runs: pure, deterministic, every error with its place."""

from pyheta.sweep.config import RunConfig
from pyheta.sweep.expand import Run
from pyheta.sweep.file import Explain, Report
from pyheta.sweep.schema import json_schema
from pyheta.sweep.sweep import Sweep, read_sweep

__all__ = ["Explain", "Report", "Run", "RunConfig", "Sweep", "json_schema", "read_sweep"]
