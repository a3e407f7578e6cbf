"""Recurrent neural networks on the CPU, to the bit."""

from unroll._core import Stream, num_threads, set_num_threads
from unroll._from_torch import from_torch
from unroll.errors import (
    ArchitectureError,
    ArgumentError,
    Error,
    FileError,
    FormatError,
    ShapeError,
)
from unroll.loading import load
from unroll.model import Model

__all__ = [
    "ArchitectureError",
    "ArgumentError",
    "Error",
    "FileError",
    "FormatError",
    "Model",
    "ShapeError",
    "Stream",
    "from_torch",
    "load",
    "num_threads",
    "set_num_threads",
]


def __getattr__(name: str) -> str:
    if name == "__version__":  # only when asked, because the look takes longer than the import
        from importlib.metadata import version

        return version("unroll-rnn")
    raise AttributeError(f"module 'unroll' has no attribute {name!r}")
