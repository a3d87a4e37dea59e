"""The courses of decompositions: steps that go the same way and differ in how far they go.

A step may take over what another one of its course has computed (`ops/decompose.py`); how much of
it holds is seen there. So a course need not be exact: it only has to bring together what is worth
a look.
"""

from pyheta.ops.params import DecomposeParams
from pyheta.ops.registry import OPS
from pyheta.steps import digest


def course_of_decompose(params: DecomposeParams, beginning: str) -> str | None:
    """Equal for decompositions of columns that begin with the same values, in the same way.

    `beginning` is the digest of the column's rows up to the end of its first window: of the rows
    before its first known row + window. None where nothing can be taken over, since every value
    depends on later rows.
    """
    if params.mode != "causal":
        return None
    told = {name: value for name, value in params.as_params().items() if name != "rows"}
    version = OPS["decompose"].version
    return digest({"op": "decompose", "version": version, **told, "beginning": beginning})
