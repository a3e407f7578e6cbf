"""Where models come from: the folder of a run, a file of Unroll, or weights of PyTorch."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unroll import _core
from unroll.errors import FileError, FormatError
from unroll.model import Model

__all__ = ["load"]

MODEL_FILE = "model.safetensors"
MANIFEST = "manifest.json"


def load(
    path: str | os.PathLike[str],
    arch: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    *,
    key: str = "",
    ignore: Sequence[str] = (),
    allow_not_finite: bool = False,
) -> Model:
    """Load a model that was trained by Unroll or by PyTorch.

    Parameters
    ----------
    path : str or path
        The folder of a run, a ``model.safetensors`` of Unroll, or weights of PyTorch: a ``.pt`` of
        ``torch.save`` or a ``.safetensors``. The content tells which. Nothing in a file is executed.
    arch : str, path or dict, optional
        The architecture of PyTorch's weights: the name of a JSON file, its text, or the same as a dict.
        Only needed where the weights leave something open, such as the readout.
    key : str, optional
        Path to the ``state_dict`` in a ``.pt`` that holds several: ``"model.state_dict"``.
    ignore : sequence of str, optional
        Patterns (``*`` and ``?``) of the names of tensors to leave out.
    allow_not_finite : bool, optional
        Accept weights of Unroll that are NaN or infinite.

    Returns
    -------
    Model
        It computes in float64 if a weight of Unroll is stored so, otherwise in float32.

    Raises
    ------
    FileError
        If a file is missing or can't be read.
    FormatError
        If the content of a file is not valid, or its weights do not fit the architecture.
    ArchitectureError
        If the weights leave the architecture open. The text has a template to fill in.

    Examples
    --------
    >>> model = unroll.load("runs/walks")
    >>> model.predict(x).shape
    (4, 3)
    """
    file = _model_file(Path(path))
    text, name = _architecture(arch)
    return Model(_core.load(str(file), text, name, key, list(ignore), allow_not_finite))


def _model_file(path: Path) -> Path:
    """Return the file of the model, which is as its run wrote it."""
    if not path.exists():
        raise FileError(f"[load] there is no {path}; give a run's folder or a file of weights")
    if path.is_dir():
        folder, path = path, path / MODEL_FILE
        if not path.exists():
            runs = sorted(p.parent.name for p in folder.glob(f"*/{MODEL_FILE}"))
            remedy = (
                f"it holds several runs; load one of them: {folder / runs[0]}"
                if runs
                else f"if its training did not end, continue it: unroll train --resume {folder}"
            )
            raise FileError(f"[load] {folder} has no {MODEL_FILE}; {remedy}")
    _check_manifest(path)
    return path


def _check_manifest(path: Path) -> None:
    """Compare a file with the manifest of its folder, if that lists it."""
    try:
        listed = json.loads((path.parent / MANIFEST).read_bytes())["files"][path.name]
        hashes = {entry["sha256"] for entry in listed}
    except (OSError, ValueError, KeyError, TypeError):
        return  # no run's folder
    import hashlib  # only here: it takes milliseconds

    try:
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileError(f"[load] can't read {path}: {error.strerror}") from error
    if found not in hashes:
        raise FormatError(
            f"[load] {path} is not as its run wrote it: the hash in {MANIFEST} differs; "
            "copy the folder again, or load a copy of the file elsewhere"
        )


def _architecture(arch: str | os.PathLike[str] | Mapping[str, Any] | None) -> tuple[str | None, str]:
    """Return the text of an architecture, and its name for errors."""
    if arch is None:
        return None, "the architecture"
    if isinstance(arch, Mapping):
        return json.dumps(dict(arch)), "arch"
    if isinstance(arch, str) and arch.lstrip().startswith("{"):
        return arch, "arch"
    try:
        return Path(arch).read_text(encoding="utf-8"), str(arch)
    except OSError as error:
        raise FileError(f"[load] can't read the architecture {arch}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"[load] the architecture {arch} is not UTF-8") from error
