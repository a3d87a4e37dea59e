"""The base of all sections of a sweep file: data, nets and training declare theirs themselves."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Nothing unknown, nothing coerced, nothing infinite, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
