"""Whether parts of a training set, dealt without regard to classes, leave some of each class."""

from __future__ import annotations

import math

_UNLIKELY = 1e-3


def leave_every_class(total: int, least: int, inner: int) -> bool:
    """Say whether no inner fold can be expected to hold all of a class.

    A given fold of ``s = ceil(total / inner)`` people holds all `least` of a class with the
    probability ``C(total - least, s - least) / C(total, s)``, which is 0 where they are more than
    `s`. Where any fold does with more than one in a thousand, the answer is no.

    Parameters
    ----------
    total : int
        People of the training part.
    least : int
        Those of the smallest class.
    inner : int
        Folds they are dealt into.

    Examples
    --------
    >>> leave_every_class(4, 2, 2)  # two of each class: a fold may take both of one
    False
    >>> leave_every_class(4, 2, 4)
    True
    """
    if least < 2 or not 2 <= inner <= total:
        return False
    size = -(-total // inner)
    if size < least:
        return True
    return inner * math.comb(total - least, size - least) / math.comb(total, size) < _UNLIKELY
