"""What is done about cells without a value. Nothing is, unless the options say so."""

from pyheta.errors import DataError
from pyheta.pipeline.data.draft import Draft
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.rawfile import first


def settle(draft: Draft, options: DataOptions) -> Draft:
    """The draft without missing values: a column that still has some is left out."""
    del options
    return draft.without(
        {name: _missing(draft, name) for name in draft.columns if draft.frame[name].has_nulls()}
    )


def _missing(draft: Draft, name: str) -> DataError:
    missing = draft.frame[name].is_null()
    what = f"{missing.sum()} missing values, the first here"
    cure = "fill the values or leave out the column or rows: none are made up here"
    return DataError(what, where=draft.where(first(missing), name), cure=cure)
