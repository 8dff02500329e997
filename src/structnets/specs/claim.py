"""Claims: what the thesis says, as relations between cells that runs decide.

A file ``workflow/claims/<chapter>.yaml`` lists those of a chapter. A measured quantity is named by
its address: ``table6/image/resnet20`` is a cell of a table (row, column),
``figure19/irevnet.energy_20`` a value of an analysis.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from structnets.specs.validation import Strict, checked, load_yaml

Address = str


class Relation(Strict):
    """One relation: a quantity, or a difference, ratio or slope of quantities, and its side."""

    of: list[Address] = Field(
        default=[],
        max_length=2,
        description="The value of one address is looked at, or the first less the second.",
    )
    slope: dict[float, list[Address]] = Field(
        default={},
        description="The slope over these places is looked at; each has one address, or two whose "
        "difference counts.",
    )
    ratio: bool = Field(
        default=False, description="If true, the first is divided by the second of `of`."
    )
    exact: bool = Field(
        default=False,
        description="If true, the value is no sample: one of memory or arithmetic decides by "
        "itself.",
    )
    logarithmic: bool = Field(
        default=False, description="If true, a slope is over the logarithm of the places."
    )
    above: float | None = Field(default=None, description="The value is above this number.")
    below: float | None = Field(default=None, description="The value is below this number.")
    near: float | None = Field(
        default=None, description="The value is this number, with a difference of `by` at most."
    )
    by: float | None = Field(default=None, gt=0, description="The value of `near` has this margin.")

    @model_validator(mode="after")
    def _consistent(self) -> Relation:
        if bool(self.of) == bool(self.slope):
            raise ValueError("a relation needs either of or slope")
        if sum(side is not None for side in (self.above, self.below, self.near)) != 1:
            raise ValueError("a relation needs one of above, below and near")
        if (self.near is None) != (self.by is None):
            raise ValueError("near and by belong together")
        if self.ratio and len(self.of) != 2:
            raise ValueError("a ratio needs two addresses in of")
        if self.slope and len(self.slope) < 2:
            raise ValueError("a slope needs two places at least")
        if any(not 1 <= len(pair) <= 2 for pair in self.slope.values()):
            raise ValueError("each place of a slope has one address, or two")
        if self.logarithmic and any(place <= 0 for place in self.slope):
            raise ValueError("places on a logarithmic scale are above 0")
        return self

    def points(self) -> dict[float, list[Address]]:
        """Return the addresses by place; a plain value has the one place 0."""
        return self.slope or {0.0: self.of}


class Claim(Strict):
    """One sentence of the thesis."""

    id: str = Field(
        pattern=r"^c[3-6]\.[a-z0-9]+$", description="This short name is unique among the claims."
    )
    where: str = Field(description="The sentence is in this place of the thesis.")
    statement: str = Field(description="The sentence says this, in our words.")
    full: list[Relation] = Field(
        default=[],
        description="These relations are all needed, between runs of the thesis' protocol; "
        "none: that protocol cannot decide it.",
    )
    reduced: list[Relation] | None = Field(
        default=None,
        description="These relations are needed between runs of a reduced protocol; null: the "
        "same as of the thesis'.",
    )
    open: str | None = Field(
        default=None, description="The claim has no target yet, and this is what it needs."
    )
    note: str | None = Field(default=None, description="The note says what readers are to know.")

    @model_validator(mode="after")
    def _decidable(self) -> Claim:
        if not (self.full or self.reduced or self.open):
            raise ValueError(f"claim {self.id} needs relations, or open with what it lacks")
        return self

    def relations(self, reduced: bool) -> list[Relation]:
        """Return the relations under the thesis' protocol, or under a reduced one."""
        return self.full if not reduced or self.reduced is None else self.reduced


class Claims(Strict):
    """One file of claims."""

    chapter: int = Field(ge=3, le=6, description="The file belongs to this chapter of the thesis.")
    claims: list[Claim] = Field(min_length=1, description="The chapter has these claims.")

    @model_validator(mode="after")
    def _unique(self) -> Claims:
        names = [claim.id for claim in self.claims]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"claim ids must be unique; repeated: {', '.join(doubled)}")
        if wrong := [name for name in names if not name.startswith(f"c{self.chapter}.")]:
            raise ValueError(f"ids of chapter {self.chapter} begin with c{self.chapter}: {wrong}")
        return self


def load_claims(directory: Path) -> list[tuple[int, Claim]]:
    """Read the claims of every chapter in a folder, each with its chapter.

    Raises
    ------
    FileNotFoundError
        If the folder holds no file of claims.
    ValueError
        If a file is not valid.
    """
    paths = sorted(directory.glob("[!.]*.yaml"))
    if not paths:
        raise FileNotFoundError(f"{directory} holds no claims, chapter<N>.yaml")
    files = [checked(Claims, load_yaml(path), str(path)) for path in paths]
    return [(file.chapter, claim) for file in files for claim in file.claims]
