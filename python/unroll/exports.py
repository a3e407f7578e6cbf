"""Models as files of other programs."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from unroll import _core
from unroll.errors import ArgumentError

__all__ = ["FORMATS", "export"]


def _onnx(
    model: _core.Model,
    path: Path,
    *,
    streaming: bool = False,
    lengths: bool = False,
    scaling: bool = True,
) -> bytes:
    return _core.onnx(model, streaming, lengths, scaling)


def _cpp(model: _core.Model, path: Path, *, name: str = "", int8: bool = False) -> bytes:
    return _core.cpp_header(model, name or path.stem, int8).encode()


def _js(model: _core.Model, path: Path) -> bytes:
    return _core.js_module(model).encode()


def _npz(model: _core.Model, path: Path) -> bytes:
    """Every weight under its name, and the description. The same model gives the same bytes."""
    import zipfile  # only here: it takes milliseconds

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:

        def add(name: str, content: bytes) -> None:
            file.writestr(zipfile.ZipInfo(name), content)  # dated 1980, the first year of the format

        for name, values in model.weights().items():
            if "/" in name or "\\" in name:
                raise ArgumentError(
                    f"[export] the weight {name!r} can't be a file of an .npz: its name has a slash"
                )
            array = io.BytesIO()
            np.lib.format.write_array(array, values, allow_pickle=False)
            add(name + ".npy", array.getvalue())
        add("description.json", model.description().encode())
    return archive.getvalue()


#: The formats, each with the function that makes the content of the file.
FORMATS: dict[str, Callable[..., bytes]] = {"onnx": _onnx, "cpp": _cpp, "js": _js, "npz": _npz}


def export(model: _core.Model, format: str, path: str | os.PathLike[str], options: dict[str, object]) -> None:
    """Write a model in one of the formats."""
    make = FORMATS.get(format)
    if make is None:
        raise ArgumentError(f"[export] the format {format!r} is not known, expected {', '.join(FORMATS)}")
    known = list(make.__kwdefaults__ or ())
    for name in options:
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise ArgumentError(f"[export] {format} has no option {name!r}; {has}")
    file = Path(path)
    _core.write_file(str(file), make(model, file, **options))
