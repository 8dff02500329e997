"""Files of tensors: written whole or not at all, read to their checksum, finite and real."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from structnets.files import atomic_path
from structnets.foreign.limits import WEIGHTS
from structnets.foreign.shown import shortened, shown
from structnets.training.weights_digest import weights_digest


def save_tensors(path: Path, content: Any) -> None:
    """Write tensors and plain values, atomically.

    Raises
    ------
    OSError
        If the disk refuses it. PyTorch then speaks of an unexpected position.
    """
    try:
        with atomic_path(path) as temporary:
            torch.save(content, temporary)
    except RuntimeError as error:
        raise OSError(
            f"could not write {path}, the disk is probably full: {shortened(error)}"
        ) from error


def load_tensors(path: Path) -> Any:
    """Read a file of tensors to its checksum; nothing in it is code.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, no such file, larger than `structnets.foreign.limits.WEIGHTS`, also by
        the shapes of its tensors, or has tensors that are no plain ones: sparse, nested,
        quantised, without values.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing, or no file")
    WEIGHTS.check(path, path.stat().st_size)
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:  # torch.load reads past flipped bytes
                if any(member.compress_type for member in archive.infolist()):
                    raise zipfile.BadZipFile("it is packed, which PyTorch never does")
                if member := archive.testzip():
                    raise zipfile.BadZipFile(f"wrong checksum of {member}")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path} is refused: it is damaged, or holds more than tensors and plain values "
            f"({shortened(error, 120)}); copy it again, or train the run anew"
        ) from error
    # What a damaged file makes the parsers raise is not documented: anything, in practice.
    except Exception as error:
        if isinstance(error, ValueError) and str(error).startswith(f"{path} "):
            raise
        raise ValueError(
            f"{path} is damaged, or no file of tensors: {shortened(error)}; copy it again, or "
            "train the run anew"
        ) from error
    _check_plain(content, path)
    return content


def _check_plain(content: Any, path: Path) -> None:
    """Refuse tensors that cannot be looked at, or whose shape says more than the file holds."""
    declared = 0
    for key, tensor in _tensors(content):
        kind = _kind(tensor)
        if kind is not None:
            raise ValueError(
                f"{path} has in {shown(key)} a tensor that is {kind}; save plain ones of 16 bits "
                "or more, on the CPU"
            )
        # One stored number can stand for any shape.
        declared += tensor.numel() * tensor.element_size()
        WEIGHTS.check(path, declared)


def _tensors(content: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield each tensor, however deep it lies, once; a list may hold itself."""
    stack, seen = [("", content)], set()
    while stack:
        key, one = stack.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, torch.Tensor):
            yield key, one
        elif isinstance(one, Mapping):
            stack += [(str(name), value) for name, value in one.items()]
        elif isinstance(one, (list, tuple)):
            stack += [(key, value) for value in one]


def _kind(tensor: torch.Tensor) -> str | None:
    if tensor.is_nested or tensor.layout != torch.strided:
        return "sparse or nested"
    if tensor.is_quantized:
        return "quantised"
    if tensor.device.type != "cpu":
        return f"on the device {tensor.device.type}, without values here"
    if tensor.is_floating_point() and tensor.element_size() < 2:
        return f"of type {tensor.dtype}"
    return None


def read_model(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Read the spec and the weights of a ``model.pt``; raises as `model_content` says."""
    content = model_content(path)
    return dict(content["spec"]), dict(content["state_dict"])


def model_content(path: Path) -> dict[str, Any]:
    """Read all of a ``model.pt``: ``spec`` and ``state_dict`` of a training, and what else it has.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, no ``model.pt``, states another digest than its weights have, or has
        weights that are complex, NaN or infinite.
    """
    content = load_tensors(path)
    if not isinstance(content, dict) or not all(
        isinstance(content.get(key), Mapping) for key in ("spec", "state_dict")
    ):
        raise ValueError(f"{path} is damaged, or no model.pt of a training; train the run anew")
    weights = content["state_dict"]
    check_weights(weights, path)
    stated = content.get("weights_digest")
    if stated is not None and stated != weights_digest(weights):
        raise ValueError(
            f"{path} states the digest {shown(stated)}, its weights have another: they were "
            "altered; copy the file again, or train the run anew"
        )
    return content


def check_weights(weights: Mapping[str, Any], name: object) -> None:
    """Refuse weights with which every answer would be wrong without a word.

    Raises
    ------
    ValueError
        Naming the file and the first that is complex, or not finite.
    """
    for key, tensor in weights.items():
        if not torch.is_tensor(tensor):
            continue
        if tensor.is_complex() or (tensor.is_floating_point() and not tensor.isfinite().all()):
            what = "complex" if tensor.is_complex() else "NaN or infinite"
            raise ValueError(f"{name} has {what} values in {shown(key)}; train the run anew")
