"""From shards to training batches: crop, flip and resize in threads, ahead of the training.

Threads, not processes: decoding, resizing and copying run outside Python's lock, and their
results need no copying between processes. Images stay uint8 to the end; where there is a GPU,
take them so and standardise there, else each thread standardises an image while it is in cache.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from structnets.data.batches.augmentation import Standardization
from structnets.data.batches.batch_buffers import BatchBuffers
from structnets.data.batches.crops import Crop, Windows
from structnets.data.batches.examples import Step
from structnets.data.prepared.shards import ShardedSplit
from structnets.processors import single_threaded_pool


class ImagePipeline:
    """Batches of one split of sharded data, cropped as a function of (seed, step).

    Parameters
    ----------
    split : ShardedSplit
        The images.
    crop : Crop
        Which part of each is shown.
    threads : int
        Threads that make batches; the result does not depend on their number.
    standardization : Standardization, optional
        Gives float32 batches; without it they are uint8.
    pinned : bool
        Put batches into page-locked memory, for copies to a GPU that overlap with computation.

    Raises
    ------
    ValueError
        If `threads` is less than 1.
    """

    def __init__(
        self,
        split: ShardedSplit,
        crop: Crop,
        *,
        threads: int = 1,
        standardization: Standardization | None = None,
        pinned: bool = False,
    ) -> None:
        if threads < 1:
            raise ValueError(f"threads must be at least 1, got {threads}")
        self.split, self.crop, self.threads = split, crop, threads
        self.standardization, self.pinned = standardization, pinned
        self._buffers = BatchBuffers()
        self._pool = single_threaded_pool(threads, "images")

    def __enter__(self) -> ImagePipeline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the threads; what they have begun they finish."""
        self._pool.shutdown(cancel_futures=True)

    def batch(
        self, rows: np.ndarray, seed: int, step: int, part: slice = slice(None)
    ) -> tuple[Tensor, Tensor]:
        """Make the batch of one step.

        Parameters
        ----------
        rows : numpy.ndarray, shape (B,)
            Which images the global batch has.
        seed, step : int
            Decide the crops.
        part : slice
            The worker's part of the batch.

        Returns
        -------
        images : Tensor, shape (b, 3, size, size)
            uint8, or float32 if standardised.
        labels : Tensor, shape (b,), int64
        """
        return self._begin(rows, seed, step, part).result()

    def stream(
        self, steps: Iterable[Step], seed: int, ahead: int = 2
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Make the batches of some steps, `ahead` of them before they are asked for.

        Parameters
        ----------
        steps : iterable of Step
            Their batches are rows of the split.
        seed : int
            Decides the crops, with the number of the step.
        ahead : int
            How many batches to make in advance.

        Yields
        ------
        images, labels : Tensor
            As from `batch`.
        """
        waiting: deque[_Batch] = deque()
        for step in steps:
            waiting.append(self._begin(step.batch, seed, step.number, step.part))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def windows(self, rows: np.ndarray, seed: int, step: int, part: slice) -> Windows:
        """Return which part of each image a batch shows; parameters are those of `batch`."""
        heights, widths = self.split.heights[rows], self.split.widths[rows]
        return self.crop.windows(heights, widths, seed, step)[part]

    def _begin(self, rows: np.ndarray, seed: int, step: int, part: slice) -> _Batch:
        split, size = self.split, self.crop.size
        windows, rows = self.windows(rows, seed, step, part), rows[part]
        shape = (len(rows), 3, size, size)
        dtype = torch.uint8 if self.standardization is None else torch.float32
        # Page-locked memory is kept and used again by torch itself.
        images = (
            torch.empty(shape, dtype=dtype, pin_memory=True)
            if self.pinned
            else self._buffers.take(shape, dtype)
        )
        shares = np.array_split(np.arange(len(rows)), min(self.threads, max(1, len(rows))))
        futures = [self._pool.submit(self._fill, images, share, rows, windows) for share in shares]
        return _Batch(images, torch.from_numpy(split.labels[rows]), futures)

    def _fill(self, images: Tensor, share: np.ndarray, rows: np.ndarray, windows: Windows) -> None:
        """Make some images of a batch."""
        for position in share:
            shown = self._show(int(rows[position]), windows, position)
            if self.standardization is None:
                images[position].copy_(shown)
            else:
                self.standardization(shown, out=images[position])

    def _show(self, row: int, windows: Windows, position: int) -> Tensor:
        """Return one image as it is shown, (3, size, size) uint8, perhaps a view."""
        top, left = int(windows.top[position]), windows.left[position]
        height, width = int(windows.height[position]), windows.width[position]
        image = self.split.pixels(row, top, top + height)[:, left : left + width]
        size = self.crop.size
        if (height, width) == (size, size):
            # NumPy parts channels in a third of torch's time.
            shown = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
        else:
            # Contiguous rows of RGB pixels are what torch resizes fastest.
            planes = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
            shown = functional.interpolate(planes, (size, size), mode="bilinear", antialias=True)[0]
        return shown.flip(-1) if windows.flipped[position] else shown


class _Batch:
    """A batch whose images are being made."""

    def __init__(self, images: Tensor, labels: Tensor, futures: list[Future[None]]) -> None:
        self.images, self.labels, self.futures = images, labels, futures

    def result(self) -> tuple[Tensor, Tensor]:
        """Wait for the images."""
        for future in self.futures:
            future.result()
        return self.images, self.labels
