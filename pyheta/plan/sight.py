"""What a step sees of the series that it reads, by content: the same digests, the same series.

A causal step's first rows depend on the first rows of what it is made of, so what is seen of them
is told by how they are made and by those rows alone. It does not matter how many more there are.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pyheta.ops.params import DecomposeParams, FitOn, Params, ShapeParams
from pyheta.ops.registry import OPS
from pyheta.pipeline.channels import Source
from pyheta.pipeline.data.content import Content, Rows
from pyheta.pipeline.decomposition.components import WHOLE
from pyheta.steps import canonical, digest

#: What a series does not depend on: how much of it is made, and how much of it is kept.
AMOUNTS = {"rows", "keep"}


@dataclass(frozen=True, slots=True)
class Sight:
    """`decomposed` and `shaped` say how a source's series is made."""

    content: Content
    decomposed: Callable[[Source], DecomposeParams]
    shaped: Callable[[Source], ShapeParams]

    def of_sources(self, sources: Iterable[Source], rows: Rows) -> dict[str, str]:
        """By each source, as parameters have it: the digest of all that these rows depend on."""
        return dict(self._each(sources, rows))

    def _each(self, sources: Iterable[Source], rows: Rows) -> Iterator[tuple[str, str]]:
        for source in sources:
            yield canonical(source.as_params()), self._series(source, rows)
            if source.mask:
                yield f"mask:{source.mask}", self.content.column(source.mask, rows)

    def _series(self, source: Source, rows: Rows) -> str:
        if source.shaped:
            return self._of_shaped(source, rows)
        if source.component == WHOLE:
            return self.content.column(source.column, rows)
        return self._of_component(source, rows)

    def _of_component(self, source: Source, rows: Rows) -> str:
        params = self.decomposed(source)
        made_of = _made_of("decompose", params, rows)
        how = _how("decompose", params)
        if params.split:  # of parts that are decomposed apart, those that begin later have no say
            how["split"] = {p: span for p, span in params.split.items() if span[0] < made_of[1]}
        return digest([how, self.content.column(source.column, made_of)])

    def _of_shaped(self, source: Source, rows: Rows) -> str:
        params = self.shaped(source)
        made_of = _made_of("shape", params, rows)
        pair = [Source(column, source.component) for column in (params.target, source.column)]
        return digest([_how("shape", params), *(self._series(each, made_of) for each in pair)])


def _how(op: str, params: Params) -> dict[str, Any]:
    """Which operation makes a series, and all that it is told but the amount."""
    told = {name: value for name, value in params.as_params().items() if name not in AMOUNTS}
    return {"op": op, "version": OPS[op].version, **told}


def _made_of(op: str, params: DecomposeParams | ShapeParams, rows: Rows) -> Rows:
    """The rows of its columns on which these rows of a step's product depend.

    Parts that are decomposed apart end where steps' borders are.
    """
    apart = isinstance(params, DecomposeParams) and params.mode == "parts"
    whole = OPS[op].params.fit_on(params.as_params()) is FitOn.WHOLE and not apart
    return (0, params.rows if whole else rows[1])
