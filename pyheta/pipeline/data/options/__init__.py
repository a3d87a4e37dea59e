"""How a data set is read: all that may stand under `dataset:` beside its name or its path.

Sweeps are checked with these sections, and steps of `load` carry what of them is not the default.
Nothing heavy is imported here: sweeps are read by commands that only look.
"""

from pyheta.pipeline.data.options.columns import Columns
from pyheta.pipeline.data.options.format import Format
from pyheta.pipeline.data.options.rows import Rows
from pyheta.pipeline.data.options.times import Times

#: Options whose value is one, although it is written as a mapping: their names are no keys.
MAPPINGS = ("columns", "features", "missing", "resample", "source")


class DataOptions(Format, Times, Rows, Columns):
    """What is not written is off, or found by looking at the file."""
