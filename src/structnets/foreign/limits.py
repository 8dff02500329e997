"""How much a file may ask for: a default, said in the error, and a variable that sets another."""

from __future__ import annotations

import os
from dataclasses import dataclass

MB = 1 << 20


class TooLargeError(ValueError):
    """A file has, or declares, more than is allowed."""


@dataclass(frozen=True)
class Limit:
    """The most that one file of a kind may have.

    Parameters
    ----------
    variable : str
        Of the environment; a positive whole number in it replaces the default.
    default : int
        In units.
    what : str
        What is counted.
    unit : str
        How it is counted.
    unit_size : int
        Bytes, or pixels, in a unit.

    Examples
    --------
    >>> TEXT.check("a.json", 1000)
    >>> TEXT.check("a.json", 1 << 40)
    Traceback (most recent call last):
    ...
    structnets.foreign.limits.TooLargeError: a.json has 1048576 MB of text, the limit is 256 MB; ...
    """

    variable: str
    default: int
    what: str
    unit: str = "MB"
    unit_size: int = MB

    def value(self) -> int:
        """Return the limit in bytes or pixels.

        Raises
        ------
        ValueError
            If the variable is no positive whole number.
        """
        stated = os.environ.get(self.variable, str(self.default))
        if not stated.isdecimal() or not int(stated):
            raise ValueError(f"{self.variable} must be a positive whole number, got {stated!r}")
        return int(stated) * self.unit_size

    def check(self, name: object, wanted: int) -> None:
        """Refuse a file that has, or declares, more than the limit.

        Parameters
        ----------
        name : object
            What the error calls the file.
        wanted : int
            Bytes, or pixels.

        Raises
        ------
        TooLargeError
            Naming the file, the size, the limit and how to set another.
        """
        if wanted > self.value():
            raise TooLargeError(self.refusal(name, f"{-(-wanted // self.unit_size)} {self.unit}"))

    def refusal(self, name: object, size: str) -> str:
        """Return the sentence that refuses a file of a size in words."""
        return (
            f"{name} has {size} of {self.what}, the limit is {self.value() // self.unit_size} "
            f"{self.unit}; if that is right, set {self.variable} in the environment to more"
        )


SCAN = Limit("STRUCTNETS_LARGEST_SCAN_MB", 1024, "data")
ARRAY = Limit("STRUCTNETS_LARGEST_ARRAY_MB", 512, "data")
TABLE = Limit("STRUCTNETS_LARGEST_TABLE_MB", 1024, "data")
TEXT = Limit("STRUCTNETS_LARGEST_TEXT_MB", 256, "text")
WEIGHTS = Limit("STRUCTNETS_LARGEST_WEIGHTS_MB", 4096, "weights")
PICTURE = Limit("STRUCTNETS_LARGEST_PICTURE_MPIXEL", 50, "pixels", "million", 1_000_000)
