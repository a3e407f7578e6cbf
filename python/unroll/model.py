"""A model that is ready to run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from unroll import inputs
from unroll._core import Model as CoreModel
from unroll._core import Stream, probabilities
from unroll.errors import ArgumentError
from unroll.exports import export

__all__ = ["Model"]

if TYPE_CHECKING:  # numpy.typing takes milliseconds to import
    import numpy.typing as npt

    Array = npt.NDArray[Any]
_MOST_SEQUENCES = 2**31


class Model:
    """A trained model, ready to run.

    Models come from :func:`unroll.load`. A model never changes, and several threads may use it. Its
    answers have the bits of the program ``unroll predict``. They do not depend on the other
    inputs of a batch, nor on the number of threads.

    Examples
    --------
    >>> model = unroll.load("runs/walks")
    >>> model
    Model(
      input: series of 2 features
      (gru): GRU(2, 8, readout=last)
      (fc): Linear(8, 3)
      output: logits of 3 classes
    )
    >>> model.predict_proba(x).sum(axis=1).round(6)
    array([1., 1., 1., 1.])
    """

    __slots__ = ("_core", "_description")

    _core: CoreModel
    _description: dict[str, Any]

    def __init__(self, core: CoreModel) -> None:
        self._core = core
        self._description = json.loads(core.description())

    @classmethod
    def from_weights(cls, description: Mapping[str, Any], weights: Mapping[str, npt.ArrayLike]) -> Model:
        """Make a model from a description and its weights.

        Parameters
        ----------
        description : mapping
            As :attr:`description` gives it.
        weights : mapping
            An array for each name. A model with an array of float64 computes in float64.

        Returns
        -------
        Model
            The model, with a copy of the weights.

        Examples
        --------
        >>> weights = {name: 2 * values for name, values in model.weights.items()}
        >>> unroll.Model.from_weights(model.description, weights).num_parameters
        315
        """
        arrays = {}
        for name, values in weights.items():
            if not isinstance(name, str):
                raise ArgumentError(
                    f"[from_weights] the name {name!r} is a {type(name).__name__}, expected a str"
                )
            given = np.asarray(values)
            wide = given.dtype.kind == "f" and given.dtype.itemsize >= 8
            arrays[name] = np.ascontiguousarray(given, np.float64 if wide else np.float32)
        return cls(CoreModel.from_weights(json.dumps(dict(description)), arrays))

    def predict(self, x: Any) -> Any:
        """Run the model on whole inputs.

        Parameters
        ----------
        x : array or list of arrays
            For a model of sequences (N, T, I), or (T, I) for one sequence. A list has sequences of
            different lengths. Series of one number a step may be (N, T) with T above 1, and tokens are
            (N, T). For another model
            (N, ...) with all numbers of an input, or one input. Images of uint8, (N, H, W), are scaled as
            in training if the model reads pixels. Other numbers are taken as they are.

        Returns
        -------
        array, or list of arrays
            What the model answers: logits, scores or values (N, C), or (N, T, C) if it answers at every step.
            Without the dimension N if `x` has none. A list, if the model answers at every step of a list
            of sequences.

        Raises
        ------
        ShapeError
            If the array is not as the model reads it.

        Examples
        --------
        >>> model.predict(x).shape  # 4 sequences of 10 steps
        (4, 3)
        >>> model.predict(x[0]).shape  # one of them
        (3,)
        >>> model.predict([x[0, :7], x[1], x[2, :2]]).shape  # different lengths
        (3, 3)
        """
        core = self._core
        sequences = inputs.sequences_of(core, x)
        if sequences is not None:
            return self._predict_sequences(sequences)
        batch, many = inputs.batch_of(core, np.asarray(x))
        answers = core.run(batch, [])
        return answers if many else answers[0]

    def predict_proba(self, x: Any) -> Any:
        """Return the probabilities of the classes: the softmax of the logits, as the program shows it.

        Parameters
        ----------
        x : array or list of arrays
            As in :meth:`predict`.

        Returns
        -------
        array, or list of arrays
            As from :meth:`predict`, in float64.

        Raises
        ------
        ArgumentError
            If the outputs of the model are not logits of classes.

        Examples
        --------
        >>> model.predict_proba(x).argmax(axis=1).shape
        (4,)
        """
        if self.output != "logits":
            raise ArgumentError(
                f"[predict_proba] the model's outputs are {self.output}, not logits of classes; use predict"
            )
        logits = self.predict(x)
        if isinstance(logits, list):
            return [probabilities(rows) for rows in logits]
        return probabilities(logits)

    def _predict_sequences(self, sequences: list[Array]) -> Array | list[Array]:
        core = self._core
        if core.every_step:
            rows: list[Array] = [np.empty(0)] * len(sequences)
            for numbers, batch, lengths in inputs.padded(sequences):
                for n, answers in zip(numbers, core.run(batch, lengths), strict=True):
                    rows[n] = answers[: len(sequences[n])].copy()
            return rows
        result = np.empty((len(sequences), core.outputs), self.dtype)
        for numbers, batch, lengths in inputs.padded(sequences):
            result[numbers] = core.run(batch, lengths)
        return result

    def stream(self, batch: int = 1) -> Stream:
        """Start sequences that run step by step.

        Parameters
        ----------
        batch : int, optional
            The number of sequences, N.

        Returns
        -------
        Stream
            N sequences before their first step.

        Raises
        ------
        ArgumentError
            If the model can't run step by step, for example because it is bidirectional.

        Examples
        --------
        >>> stream = model.stream(batch=4)
        >>> for t in range(10):
        ...     answers = stream.step(x[:, t])
        >>> bool((answers == model.predict(x)).all())
        True
        """
        if not 1 <= batch <= _MOST_SEQUENCES:
            raise ArgumentError(f"[stream] {batch} sequences given, expected 1 to {_MOST_SEQUENCES}")
        return Stream(self._core, batch)

    def export(self, format: str, path: str | os.PathLike[str], **options: Any) -> None:
        """Write the model for other programs.

        Parameters
        ----------
        format : {"onnx", "cpp", "js", "npz"}
            For ONNX Runtime and others; a C++17 header that runs the model step by step; a JavaScript module
            that runs it; the weights and the description for NumPy.
        path : str or path
            The file to write.
        **options
            For ``onnx``: ``streaming`` (a single step, states become inputs and outputs), ``lengths`` (an
            input with the length of each sequence), ``scaling=False`` (take pixels that are already
            scaled). For ``cpp``: ``name`` of the namespace, ``int8`` (weights in 8 bits).

        Raises
        ------
        ArgumentError
            If the format can't hold the model, or has no such option.
        FileError
            If the file can't be written.

        Examples
        --------
        >>> model.export("onnx", "walks.onnx")
        >>> model.export("cpp", "walks.h", int8=True)
        """
        export(self._core, format, path, options)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a ``.safetensors`` that :func:`unroll.load` and the program read.

        Parameters
        ----------
        path : str or path
            The file to write.

        Examples
        --------
        >>> model.save("walks.safetensors")
        >>> bool((unroll.load("walks.safetensors").predict(x) == model.predict(x)).all())
        True
        """
        self._core.save(os.fspath(path))

    @property
    def description(self) -> dict[str, Any]:
        """The layers, input and output, as ``model.safetensors`` holds them: a copy.

        Examples
        --------
        >>> [layer["type"] for layer in model.description["layers"]]
        ['gru', 'linear']
        """
        return json.loads(self._core.description())  # type: ignore[no-any-return]

    @property
    def weights(self) -> dict[str, Array]:
        """The weights by PyTorch's names: copies.

        Examples
        --------
        >>> model.weights["gru.weight_ih_l0"].shape
        (24, 2)
        """
        return self._core.weights()

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type in which the model computes: float32, or float64 if its weights are.

        Examples
        --------
        >>> model.dtype
        dtype('float32')
        """
        return np.dtype(np.float64 if self._core.is_f64 else np.float32)

    @property
    def inputs(self) -> int:
        """The numbers of a step, I, or of a whole input of a model that reads no sequences."""
        return self._core.inputs

    @property
    def outputs(self) -> int:
        """The numbers of an answer, C."""
        return self._core.outputs

    @property
    def output(self) -> str:
        """The meaning of the outputs: ``"logits"``, ``"scores"`` or ``"values"``."""
        return self._core.meaning

    @property
    def input_names(self) -> list[str]:
        """The names of the features, in the order of an input; empty if the model has none."""
        return self._core.input_names

    @property
    def classes(self) -> list[str]:
        """The names of the classes, in the order of the outputs; empty if the model has none."""
        return self._core.classes

    @property
    def every_step(self) -> bool:
        """Whether the model answers at every step of a sequence."""
        return self._core.every_step

    @property
    def can_stream(self) -> bool:
        """Whether the model runs step by step."""
        return self._core.reads_sequences and not self._core.reads_ahead

    @property
    def num_layers(self) -> int:
        """The number of recurrent layers."""
        return sum(layer.get("num_layers", 0) for layer in self._description["layers"])

    @property
    def num_parameters(self) -> int:
        """The number of weights."""
        return sum(values.size for values in self._core.weights().values())

    def __repr__(self) -> str:
        core = self._core
        kind = _text_of_input(core, self._description["input"])
        meaning = f"logits of {self.outputs} classes" if self.output == "logits" else self.output
        if self.output != "logits":
            meaning = f"{self.outputs} {self.output}"
        lines = [f"input: {kind}"]
        lines += [_text_of_layer(layer) for layer in self._description["layers"]]
        lines += [f"output: {meaning}{', at every step' if self.every_step else ''}"]
        return "Model(\n  " + "\n  ".join(lines) + "\n)"

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self._core.bytes(),)


def _unpickled(content: bytes) -> Model:
    return Model(CoreModel.from_bytes(content))


def _text_of_input(core: CoreModel, description: dict[str, Any]) -> str:
    if core.reads_tokens:
        return f"{description['tokens']} tokens"
    if core.reads_pixels:
        return f"pixels of images, {description['form']}"
    return f"{'series' if core.reads_sequences else 'a vector'} of {core.inputs} features"


def _text_of_layer(layer: dict[str, Any]) -> str:
    """Return a layer as PyTorch shows it, with what is not the default."""
    kind = layer["type"]
    sizes = {
        "linear": ("in_features", "out_features"),
        "embedding": ("num_embeddings", "embedding_dim"),
        "layer_norm": ("features",),
        "conv1d": ("in_channels", "out_channels", "kernel"),
        "conv2d": ("in_channels", "out_channels", "kernel"),
    }.get(kind, ("input_size", "hidden_size"))
    shown = [str(layer[size]) for size in sizes if size in layer]
    usual = {"num_layers": 1, "bias": True, "groups": 1, "dilation": 1, "stride": 1, "eps": 1e-5}
    for name, value in layer.items():
        if name in ("type", "name", *sizes) or value in (False, 0, [0, 0]) or usual.get(name) == value:
            continue
        shown.append(f"{name}={value}")
    title = kind.upper() if kind in ("rnn", "lstm", "gru") else kind.title().replace("_", "")
    return (f"({layer['name']}): " if "name" in layer else "") + f"{title}({', '.join(shown)})"
