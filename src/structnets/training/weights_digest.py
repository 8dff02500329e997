"""The digest of a net's weights, by which a run's result and its file are compared."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any


def weights_digest(state: Mapping[str, Any]) -> str:
    """Digest the tensors of a ``state_dict``: names, types, shapes and every bit.

    Parameters
    ----------
    state : mapping of str to Tensor
        On any device; what is no tensor is no weight.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    import torch

    found = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        if torch.is_tensor(tensor):
            found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            flat = tensor.detach().cpu().contiguous().flatten()
            found.update(flat.view(torch.uint8).numpy().tobytes())
    return found.hexdigest()
