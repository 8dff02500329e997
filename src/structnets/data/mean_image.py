"""The mean training image, subtracted from crops as Caffe does: pixel by pixel of the whole."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from structnets.data.crops import Windows


class MeanImage:
    """Subtracts from every crop the same part of the mean image, flipped where the crop is.

    Parameters
    ----------
    mean : numpy.ndarray, shape (C, H, W)
        In 0..255; all images are of its size.
    """

    def __init__(self, mean: np.ndarray) -> None:
        self._mean = torch.from_numpy(mean.astype(np.float32)).div_(255)

    def subtract(self, images: Tensor, windows: Windows) -> Tensor:
        """Scale to [0, 1] and subtract the mean.

        Parameters
        ----------
        images : Tensor, shape (B, C, size, size), uint8
            Cropped, not resized.
        windows : Windows
            Where each was cut.

        Returns
        -------
        Tensor, shape (B, C, size, size), float32
            On the device of `images`.
        """
        if self._mean.device != images.device:
            self._mean = self._mean.to(images.device)
        rows, columns = (
            torch.from_numpy(first).to(images.device)[:, None]
            + torch.arange(images.shape[-1], device=images.device)
            for first in (windows.top, windows.left)
        )
        flipped = torch.from_numpy(windows.flipped).to(images.device)[:, None]
        columns = torch.where(flipped, columns.flip(1), columns)
        mean = self._mean[:, rows[:, :, None], columns[:, None, :]]
        return torch.mul(images, 1 / 255).sub_(mean.transpose(0, 1))
