"""Interpretations: where the thesis had to be read, and how it was."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from structnets.specs.validation import Strict

Kind = Literal["silent", "garbled", "contradiction", "code", "cost"]
WORDS: dict[Kind, str] = {
    "silent": "the text is silent",
    "garbled": "the text is garbled",
    "contradiction": "the text contradicts itself",
    "code": "the released code differs from the text",
    "cost": "the text's way costs too much",
}


class Interpretation(Strict):
    """One reading of the thesis that a target rests on."""

    subject: str = Field(description="The reading is about this, in a few words.")
    text: str = Field(description="This is what the thesis says, with the place.")
    done: str = Field(description="This is what the target has.")
    why: str = Field(description="The choice was made for this reason.")
    kind: Kind = Field(
        description="The text is silent, garbled or a contradiction; or the released code is "
        "another (code), or the text's way is too dear (cost)."
    )
