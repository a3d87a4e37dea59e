"""What stands under `net` in a sweep, derived from the catalogue: a named net, or one's own."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Discriminator, Tag

from pyheta.nets.configs import catalogue
from pyheta.nets.configs.base import NetConfig
from pyheta.nets.configs.own import OwnNetConfig, Pairs, is_own

OWN = "module:Class"  # what a net of one's own is called among the known ones

#: The nets that have a name here; all others are one's own.
NETS: Mapping[str, type[NetConfig]] = {
    config.model_fields["name"].default: config for config in catalogue.CATALOGUE
}

#: Every configuration that may stand under `net`.
CONFIGS: tuple[type[NetConfig], ...] = (*NETS.values(), OwnNetConfig)

#: Options whose value is one, although it is written as a mapping.
MAPPING_OPTIONS = frozenset(
    name
    for config in CONFIGS
    for name, field in config.model_fields.items()
    if field.annotation == Pairs
)

#: What `baselines` in a sweep stands at when nobody writes it.
BASELINES = tuple(config(name=name) for name, config in NETS.items() if config.baseline)


def _tag_of(value: Any) -> str | None:
    """The tag of a net's configuration; an unknown name is its own tag, which no net has."""
    name = value.get("name") if isinstance(value, Mapping) else getattr(value, "name", value)
    if name is None:
        return None
    return str(name) if str(name) in NETS or not is_own(str(name)) else OWN


if TYPE_CHECKING:
    Net = NetConfig
else:
    Net = Annotated[
        Union[  # noqa: UP007 (of as many as there are)
            tuple(
                Annotated[config, Tag(tag)] for tag, config in {**NETS, OWN: OwnNetConfig}.items()
            )
        ],
        Discriminator(_tag_of),
    ]


def config_of(net: Mapping[str, Any]) -> NetConfig:
    """The configuration that was dumped as {"name": "lstm", "hidden": 64, …}."""
    return NETS.get(net["name"], OwnNetConfig)(**net)
