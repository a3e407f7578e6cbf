"""Makes a model from a live module of PyTorch, and compares the two."""

from __future__ import annotations

import contextlib
import dataclasses
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from unroll import _core
from unroll.errors import ArgumentError, Error
from unroll.model import Model

from . import convolutions, recurrent, stepwise, sums  # noqa: F401 (register their operations)
from .arrangement import Arrangement, of_input, of_output
from .description import describe, input_of, kind_of_input
from .flow import ENDINGS, Flow, Label, Layer, Refusal
from .operations import OPERATIONS
from .trace import Trace, Unknown

TOLERANCE = 1e-5  # times the largest output, if that is above 1


def converted(module: Any, example_input: Any, output: str, classes: list[str]) -> Model:
    """Return the model of a module."""
    try:
        module, example = _checked(module, example_input)
        with _in_eval_mode(module):
            return _converted(module, example, output, classes)
    except Refusal as refusal:
        raise ArgumentError(f"[from_torch] {refusal}") from None


def _checked(module: Any, example: Any) -> tuple[Any, Any]:
    """Return the module without wrappers, and the example as a tensor."""
    if not isinstance(module, torch.nn.Module):
        raise Refusal(f"the module is a {type(module).__name__}, expected a torch.nn.Module")
    module = getattr(module, "_orig_mod", module)  # of torch.compile
    if isinstance(module, torch.nn.DataParallel):
        module = module.module
    if isinstance(module, torch.jit.ScriptModule):
        raise Refusal(
            "the module is a ScriptModule, whose layers can't be seen; give the module that it was made of"
        )
    if isinstance(example, np.ndarray):
        example = torch.from_numpy(example)
    if not isinstance(example, torch.Tensor):
        raise Refusal(
            f"the example is a {type(example).__name__}, expected one tensor: the input of the module"
        )
    if example.numel() == 0:
        raise Refusal(f"the example has the shape {tuple(example.shape)}, expected at least one number")
    for name, weight in module.named_parameters():
        if weight.is_floating_point() and weight.dtype not in (torch.float32, torch.float64):
            raise Refusal(
                f"{name} has the type {weight.dtype}, expected float32 or float64; give module.float()"
            )
    return module, example.detach()


@contextlib.contextmanager
def _in_eval_mode(module: Any) -> Iterator[None]:
    modes = {child: child.training for child in module.modules()}
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for child, mode in modes.items():
            child.training = mode


@dataclasses.dataclass(frozen=True)
class _Read:
    """What a trace found."""

    layers: tuple[Layer, ...]
    ending: str  # a softmax or log_softmax that the model leaves out
    kind: str
    reads: Arrangement
    gives: Arrangement

    def core(self, steps: int, output: str, classes: list[str]) -> Any:
        """Make the model. Steps 0 are any number."""
        sizes = [n for n, role in zip(self.reads.sizes, self.reads.roles, strict=True) if role == "features"]
        return _core.Model.from_weights(
            *describe(input_of(self.kind, self.layers, sizes, steps), self.layers, output, classes)
        )

    def outputs(self, core: Any, x: Any) -> tuple[np.ndarray, int, int]:
        """Run the model on a tensor as the module reads it. Return its outputs, N and T."""
        batch, time = self.reads.at("batch"), self.reads.at("time")
        n = 1 if batch is None else x.shape[batch]
        t = 1 if time is None else x.shape[time]
        wide = np.float64 if core.is_f64 else np.float32
        given = self.reads.arranged(x.cpu().numpy(), n, t).astype(wide)
        y = np.asarray(core.run(np.ascontiguousarray(given), []), np.float64)
        if self.ending:
            y = y - y.max(-1, keepdims=True)
            y -= np.log(np.exp(y).sum(-1, keepdims=True))
            y = np.exp(y) if self.ending == "softmax" else y
        return y, n, y.shape[1] if y.ndim == 3 else 1


def _converted(module: Any, example: Any, output: str, classes: list[str]) -> Model:
    if output not in ("logits", "scores", "values"):
        raise Refusal(f"output is {output!r}, expected 'logits', 'scores' or 'values'")
    read, y = _traced(module, example)
    if read.ending and output != "logits":
        raise Refusal(f"the module ends with a {read.ending}, expected output='logits', not '{output}'")
    try:
        core = read.core(0, output, classes)
        _compare(read, core, example, y, "the example")
        other, expected, same_steps = _other_run(module, example, read)
        _compare(read, core, other, expected, f"a random input of shape {tuple(other.shape)}")
        time = read.reads.at("time")
        if same_steps and time is not None:
            core = read.core(example.shape[time], output, classes)  # the module itself reads no other length
    except Error as error:
        raise Refusal(f"the model can't be made: {error}") from error
    return Model(core)


def _traced(module: Any, example: Any) -> tuple[_Read, Any]:
    """Run the module on the example. Return what it is made of, and its output."""
    trace = Trace(module, OPERATIONS)
    x = example.clone()
    labels = trace.enter(x)
    try:
        with warnings.catch_warnings(), trace.names_of_layers(), trace:
            # Layers that Unroll computes go back to PyTorch's code while they are followed, and say so.
            warnings.filterwarnings("ignore", r"\[unroll\.torch\]")
            given = module(x)
    except Exception as error:
        raise Refusal(f"the module fails on the example: {type(error).__name__}: {error}") from error
    y = _output(given, trace)
    value = trace.value(y)
    if trace.shown:
        raise Refusal(
            f"Python reads numbers of the data ({trace.shown}), so that layers may differ from input to "
            "input; that has no counterpart"
        )
    if value is None:
        raise Refusal("the output does not come from the input by operations of torch that can be seen")
    if isinstance(value, Unknown):
        raise Refusal(value.reason)
    return _read(value, labels), y


def _output(given: Any, trace: Any) -> Any:
    """Return the output. The last states of recurrent layers may stand behind it."""
    if isinstance(given, torch.Tensor):
        return given
    if isinstance(given, (tuple, list)) and given and isinstance(given[0], torch.Tensor):
        first, *others = given
        if all(trace.is_state(other) for other in others):
            return first
    raise Refusal(
        f"the module gives a {type(given).__name__}, expected one tensor; wrap it in a module that returns "
        "the tensor to predict"
    )


def _read(flow: Flow, labels: tuple[Label, ...]) -> _Read:
    ending = flow.layers[-1].type if flow.layers and flow.layers[-1].type in ENDINGS else ""
    layers = flow.layers[:-1] if ending else flow.layers
    flow = flow.but(layers=layers).complete()
    has_time = (
        any(label.role == "time" for label in labels) or sum(label.role is None for label in labels) > 1
    )
    kind = kind_of_input(layers, has_time)
    sequence = kind in ("series", "tokens")
    return _Read(layers, ending, kind, of_input(labels, sequence), of_output(flow, sequence))


def _other_run(module: Any, example: Any, read: _Read) -> tuple[Any, Any, bool]:
    """Run the module on a random input, if it can of another batch size and length.

    Return the input, the output, and whether only the example's length works.
    """
    batch, time = read.reads.at("batch"), read.reads.at("time")
    reason = ""
    for more_steps, more_batch in ((3, 1), (3, 0), (0, 1), (0, 0)):
        shape = list(example.shape)
        if batch is not None:
            shape[batch] += more_batch
        if time is not None:
            shape[time] += more_steps
        x = _random_like(example, shape, read)
        try:
            given = module(x.clone())
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            continue
        return x, given if isinstance(given, torch.Tensor) else given[0], more_steps == 0
    raise Refusal(
        f"the module runs on the example, but on no random input, so the model can't be checked: {reason}"
    )


def _random_like(example: Any, shape: list[int], read: _Read) -> Any:
    random = torch.Generator().manual_seed(0)
    if not example.is_floating_point():
        tokens = read.kind == "tokens"
        least = 0 if tokens else int(example.min())
        most = read.layers[0].options["num_embeddings"] - 1 if tokens else int(example.max())
        return torch.randint(least, most + 1, shape, generator=random).to(example)
    numbers = torch.randn(shape, generator=random, dtype=torch.float64)
    spread = float(example.double().std()) if example.numel() > 1 else 1.0
    return (numbers * (spread or 1.0) + float(example.double().mean())).to(example)


def _compare(read: _Read, core: Any, x: Any, y: Any, what: str) -> None:
    """Raise a Refusal unless the model gives the module's outputs."""
    ours, n, steps = read.outputs(core, x)
    theirs = y.double().cpu().numpy()
    if theirs.size != ours.size:
        raise Refusal(
            f"the module gives {tuple(theirs.shape)} on {what}, but the model that was read gives "
            f"{ours.shape}; an operation depends on the batch size or the length in a way that can't be read"
        )
    if not np.isfinite(theirs).all():
        raise Refusal(f"the module's outputs on {what} are not finite, so they can't be compared")
    theirs = read.gives.arranged(theirs, n, steps).reshape(ours.shape)
    off = np.abs(ours - theirs)
    allowed = TOLERANCE * max(1.0, float(np.abs(theirs).max()))
    if not off.max() <= allowed:
        at = np.unravel_index(int(off.argmax()), off.shape)
        raise Refusal(
            f"the model that was read gives other outputs than the module on {what}: {ours[at]:.6g}, but "
            f"{theirs[at]:.6g} in the module, at {[int(i) for i in at]}; {int((off > allowed).sum())} of "
            f"{off.size} are more than {allowed:.3g} off; the module does something that a run doesn't show"
        )
