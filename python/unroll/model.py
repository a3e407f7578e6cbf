"""Models that are ready to run, and where they come from."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from unroll import _core
from unroll.errors import ArgumentError, FileError, ShapeError

__all__ = ["Model", "load"]


class Model:
    """A trained model. Made by :func:`load`."""

    def __init__(self, core: _core.Model) -> None:
        self._core = core
        self._description: dict[str, Any] = json.loads(core.description())

    def predict(self, x: Any) -> Any:
        """Run the model."""
        return self._core.run(np.asarray(x), [])

    def stream(self, batch: int = 1) -> _core.Stream:
        """Start sequences that run step by step."""
        return _core.Stream(self._core, batch)


def load(
    path: str | os.PathLike[str],
    arch: str | os.PathLike[str] | dict[str, Any] | None = None,
    *,
    key: str = "",
    ignore: Sequence[str] = (),
    allow_not_finite: bool = False,
) -> Model:
    """Load a model."""
    return Model(_core.Model.load(os.fspath(path), allow_not_finite))
