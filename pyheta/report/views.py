"""What a report can be about, and the forms in which it is written.

The command line offers these, so nothing heavy is imported here.
"""

from enum import StrEnum


class About(StrEnum):
    """What a report is about."""

    RUNS = "runs"
    TARGETS = "targets"
    COMPONENTS = "components"
    RELEVANCE = "relevance"
    IMPORTANCE = "importance"
    SHAPLEY = "shapley"


class Form(StrEnum):
    """How a report is written."""

    TABLE = "table"
    MARKDOWN = "md"
    CSV = "csv"
    JSON = "json"
