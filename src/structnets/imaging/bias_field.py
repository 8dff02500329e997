"""Correction of slow intensity changes over a volume by N4 (Tustison et al. 2010)."""

from __future__ import annotations

from typing import Any

import numpy as np

from structnets.imaging.itk import one_thread, to_array, to_image
from structnets.imaging.volumes import Volume

# The field is smooth, so that it is fitted on a coarse grid and read between its points.
_GRID_MM = 4.0
_ITERATIONS = (40, 40, 30)


@one_thread()
def correct_bias(volume: Volume) -> Volume:
    """Divide a volume by its bias field.

    Parameters
    ----------
    volume : Volume
        Any T1-weighted head or brain; the field is fitted where Otsu's threshold finds tissue.

    Returns
    -------
    Volume
        Same grid; background that was 0 stays 0.
    """
    import SimpleITK

    # N4 takes logarithms, so that negative ringing in the background has to go.
    image = to_image(Volume(np.maximum(volume.data, 0), volume.affine))
    factors = [max(1, round(_GRID_MM / size)) for size in image.GetSpacing()]
    small = SimpleITK.Shrink(image, factors)
    tissue = SimpleITK.OtsuThreshold(small, 0, 1)
    fit = SimpleITK.N4BiasFieldCorrectionImageFilter()
    fit.SetMaximumNumberOfIterations(list(_ITERATIONS))
    fit.Execute(small, tissue)
    field = _on_grid_of(image, fit.GetLogBiasFieldAsImage(small))
    return Volume(to_array(image) / np.exp(to_array(field)), volume.affine)


def _on_grid_of(image: Any, field: Any) -> Any:
    import SimpleITK

    resample = SimpleITK.ResampleImageFilter()
    resample.SetReferenceImage(image)
    resample.SetInterpolator(SimpleITK.sitkLinear)
    # The coarse grid ends half a cell before the fine one.
    resample.SetUseNearestNeighborExtrapolator(True)
    return resample.Execute(field)
