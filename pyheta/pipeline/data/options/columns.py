"""Which columns there are, what they mean, and which are made of others."""

from pyheta.section import Section


class Columns(Section):
    """Options of `pipeline.data.roles` and `pipeline.features`."""
