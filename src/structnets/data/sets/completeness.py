"""Whether a data set is whole: a copy that lacks images must be asked for as such."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from structnets.data.sets.entries.catalogue import find_dataset


def check_whole(
    name: str, found: tuple[int, int], prepare: Mapping[str, Any], folder: object
) -> None:
    """Compare the number of images with the catalogue's and with what was asked for.

    Parameters
    ----------
    name : str
        Data set.
    found : (int, int)
        Training and test images of the originals.
    prepare : mapping
        Parameters of the preparation; ``partial`` asks for a copy that lacks images.
    folder : path
        Where the originals lie, for the message.

    Raises
    ------
    ValueError
        If images lack and no partial copy was asked for, or one was asked for and none lack.
    """
    facts, partial = find_dataset(name), bool(prepare.get("partial"))
    expected = (facts.train_count, facts.test_count)
    text = f"{folder} holds {found[0]} training and {found[1]} test images of {name}"
    if found != expected and not partial:
        raise ValueError(
            f"{text}, expected {expected[0]} and {expected[1]}; get the whole data set, or "
            'prepare it as what it is with the parameter {"partial": true}'
        )
    if found == expected and partial:
        raise ValueError(f'{text}, which is all: leave out the parameter "partial"')
