"""Dilation of Gaussian derivatives, by interpolation between scales.

Eq. 21 makes a derivative of larger scale from one of smaller scale by a further Gaussian. It holds
for growing scales only, and one scale per convolution. No finite set of Gaussian derivatives is
closed under dilation (its generator takes order m to m + 2), so a scale that varies from pixel to
pixel is interpolated between filters at a few scales, the *nodes*, with an error known in closed
form.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from structnets.bases.scales import as_scales

Float = NDArray[np.float64]


@dataclass(frozen=True)
class ScaleNodes:
    """Scales between which filters are interpolated, polynomially in log sigma.

    Parameters
    ----------
    sigmas : sequence of float
        The nodes in pixels, ascending.
    """

    sigmas: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check the nodes."""
        object.__setattr__(self, "sigmas", as_scales(self.sigmas))

    @classmethod
    def between(cls, smallest: float, largest: float, count: int) -> ScaleNodes:
        """Return `count` nodes at equal ratios; a single one is the geometric mean."""
        if count < 1 or not 0 < smallest <= largest:
            raise ValueError(
                f"need count >= 1 and 0 < smallest <= largest, got {count}, {smallest}, {largest}"
            )
        if count == 1:
            return cls((math.sqrt(smallest * largest),))
        return cls(tuple(np.geomspace(smallest, largest, count).tolist()))

    @property
    def log_sigmas(self) -> tuple[float, ...]:
        """Logarithms of the nodes."""
        return tuple(math.log(s) for s in self.sigmas)

    def weights(self, sigma: float) -> Float:
        """Return the Lagrange weights of the nodes at a scale, shape (S,); they sum to 1."""
        t, nodes = math.log(sigma), self.log_sigmas
        return np.array(
            [math.prod((t - o) / (n - o) for o in nodes if o != n) for n in nodes], dtype=float
        )

    def error(self, order: int, sigma: float) -> float:
        r"""Return the relative L2 error of the interpolated filter.

        Exact for the continuous 2-D derivatives of a total order n, all alike: the inner product
        of the scale-normalised ones at scales s and t is proportional to
        :math:`(st)^n / (s^2 + t^2)^{n+1}`.
        """
        scales = np.array([sigma, *self.sigmas])
        s, t = scales[:, None], scales[None]
        products = (s * t) ** order / (s**2 + t**2) ** (order + 1)
        signed = np.array([1.0, *(-self.weights(sigma))])
        return math.sqrt(max(float(signed @ products @ signed), 0.0) / float(products[0, 0]))

    def worst_error(self, order: int, samples: int = 201) -> float:
        """Return the largest `error` between the outer nodes."""
        scales = np.geomspace(self.sigmas[0], self.sigmas[-1], samples)
        return max(self.error(order, float(sigma)) for sigma in scales)
