"""The decomposition methods: a file for each, in which it declares itself."""

from collections.abc import Mapping

from pyheta.pipeline.decomposition.method import Method, Options
from pyheta.pipeline.decomposition.methods.ceemdan import CEEMDAN
from pyheta.pipeline.decomposition.methods.eemd import EEMD
from pyheta.pipeline.decomposition.methods.emd import EMD
from pyheta.pipeline.decomposition.methods.none import NONE
from pyheta.pipeline.decomposition.methods.stl import STL
from pyheta.pipeline.decomposition.methods.wavelet import WAVELET

#: Every method by its name. Whoever adds one adds it here.
METHODS: Mapping[str, Method] = {
    method.name: method for method in (NONE, EMD, EEMD, CEEMDAN, WAVELET, STL)
}


def component_names(options: Options) -> tuple[str, ...]:
    """The components of any column under the options of a `decompose` section, in their order."""
    return METHODS[options["method"]].components(options)
