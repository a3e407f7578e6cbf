"""Arrays as a model reads them: (N, T, I), with T = 1 for a model that reads no sequences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from unroll import _core
from unroll.errors import ShapeError

if TYPE_CHECKING:  # numpy.typing takes milliseconds to import
    import numpy.typing as npt

    Array = npt.NDArray[Any]

# Numbers that are padded at a time, for sequences of different lengths.
NUMBERS_AT_ONCE = 1 << 22


def batch_of(model: _core.Model, x: Array) -> tuple[Array, bool]:
    """Return inputs as (N, T, I), and whether `x` has a dimension for N."""
    if x.dtype == np.uint8 and model.reads_pixels:
        return _images(model, x)
    if not model.reads_sequences:
        return _vectors(model, x)
    width = model.inputs
    if model.reads_tokens:
        if x.ndim not in (1, 2):
            _refuse(x, "tokens: (N, T), or (T,) of one sequence")
        return x.reshape(-1, x.shape[-1], 1) if x.size else _empty(x, 1), x.ndim == 2
    if width == 1 and (x.ndim == 1 or (x.ndim == 2 and x.shape[1] != 1)):
        return x.reshape(*((1,) * (2 - x.ndim)), *x.shape, 1), x.ndim == 2
    if x.ndim not in (2, 3) or x.shape[-1] != width:
        _refuse(x, f"(N, T, {width}), or (T, {width}) of one sequence; steps come before features")
    return (x, True) if x.ndim == 3 else (x[np.newaxis], False)


def sequences_of(model: _core.Model, x: Any) -> list[Array] | None:
    """Return the sequences of a list, or None if `x` is one array."""
    if not model.reads_sequences or not isinstance(x, (list, tuple)) or not x:
        return None
    if not all(hasattr(item, "__array__") and np.ndim(item) > 0 for item in x):
        try:
            np.asarray(x)
            return None
        except ValueError:  # rows of different lengths
            pass
    found = []
    for n, item in enumerate(x):
        array, many = batch_of(model, np.asarray(item))
        if many and array.shape[0] != 1:
            raise ShapeError(
                f"[predict] sequence {n} of the list has shape {np.shape(item)}, "
                f"expected one sequence, (T, {model.inputs})"
            )
        if array.shape[1] == 0:
            raise ShapeError(f"[predict] sequence {n} of the list has no steps, expected at least 1")
        found.append(array[0])
    return found


def padded(sequences: list[Array]) -> Iterator[tuple[list[int], Array, list[int]]]:
    """Put sequences of similar lengths together, the longest first.

    Each is a list of their numbers, an array (N, T, I) with zeros at its ends, and a list of lengths.
    """
    order = sorted(range(len(sequences)), key=lambda n: -len(sequences[n]))
    while order:
        steps, width = sequences[order[0]].shape
        count = max(1, NUMBERS_AT_ONCE // (steps * width))
        chosen, order = order[:count], order[count:]
        batch = np.zeros((len(chosen), steps, width), np.result_type(*(sequences[n] for n in chosen)))
        for row, n in zip(batch, chosen, strict=True):
            row[: len(sequences[n])] = sequences[n]
        yield chosen, batch, [len(sequences[n]) for n in chosen]


def _images(model: _core.Model, x: Array) -> tuple[Array, bool]:
    """Scale pixels from 0 to 255 as in training."""
    if x.ndim not in (2, 3):
        _refuse(x, "images of bytes: (N, H, W), or (H, W) of one image")
    return model.pixels(x if x.ndim == 3 else x[np.newaxis]), x.ndim == 3


def _vectors(model: _core.Model, x: Array) -> tuple[Array, bool]:
    width = model.inputs
    if x.ndim > 1 and x.size == x.shape[0] * width:
        return x.reshape(x.shape[0], 1, width), True
    if x.size != width:
        _refuse(x, f"(N, {width}), or {width} numbers of one input")
    return x.reshape(1, 1, width), False


def _empty(x: Array, width: int) -> Array:
    return x.reshape(x.shape[0] if x.ndim == 2 else 1, x.shape[-1], width)


def _refuse(x: Array, expected: str) -> None:
    raise ShapeError(f"[predict] the array has shape {x.shape}, the model reads {expected}")
