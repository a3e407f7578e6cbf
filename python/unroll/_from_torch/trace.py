"""Runs a module once and follows its input through every operation of torch."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from .flow import Flow, Label, Refusal

# Operations that show a tensor's numbers to Python, so that the layers may depend on them.
_SHOWS = {"__bool__", "__float__", "__int__", "__index__", "__array__", "item", "tolist", "numpy", "nonzero",
          "equal", "allclose"}  # fmt: skip

_REMEDY = "docs/python.md lists the layers and operations that have one"


@dataclasses.dataclass(frozen=True)
class Unknown:
    """The content of a tensor that no model here computes, and the reason."""

    reason: str

    is_state: bool = False  # the memory of an LSTM


Value = Flow | Unknown


def name_of(function: Callable[..., Any]) -> str:
    """Return the name of a function of torch: `x + 1`, `x.add_(1)` and `torch.add(x, 1)` are "add"."""
    name = getattr(function, "__name__", "")
    if name == "__get__":  # an attribute, such as x.T
        name = getattr(function.__self__, "__name__", "")  # type: ignore[attr-defined]
    return name.strip("_")


class Trace(TorchFunctionMode):
    """Knows the content of every tensor that comes from the input.

    `operations` has a function for each operation of torch that is understood. It is called as the
    operation was, with a Flow in the place of each tensor that comes from the input.
    """

    def __init__(self, module: nn.Module, operations: dict[str, Callable[..., Any]]):
        super().__init__()
        self.values: dict[int, tuple[torch.Tensor, Value]] = {}  # by id; keeps the tensors alive
        self.shown = ""  # an operation that showed numbers to Python
        self.modules: list[tuple[str, nn.Module]] = [("", module)]  # those that are running
        self._operations = operations
        self._names = {child: name for name, child in module.named_modules()}

    def enter(self, tensor: torch.Tensor) -> tuple[Label, ...]:
        """Take a tensor as the input, and return its dimensions."""
        labels = tuple(Label(size) for size in tensor.shape)
        flow = Flow((), tuple((label,) for label in labels), whole=not tensor.is_floating_point())
        self.values[id(tensor)] = (tensor, flow)
        return labels

    def value(self, tensor: Any) -> Value | None:
        """Return the content of a tensor; None if it does not come from the input."""
        found = self.values.get(id(tensor))
        return found[1] if found else None

    def is_state(self, given: Any) -> bool:
        """Tell whether something returned is the last state of a recurrent layer."""
        if isinstance(given, (tuple, list)):
            return all(self.is_state(item) for item in given)
        value = self.value(given)
        return value is not None and value.is_state

    def where(self) -> str:
        """Name the place that runs now, for messages: "layer 'attn' (MultiheadAttention)", "in Net"."""
        name, child = self._layer() or self.modules[-1]
        kind = type(child).__name__
        place = f"'{name}' ({kind})" if name else kind
        return f"layer {place}" if _is_layer(child) else f"in {place}"

    def _layer(self) -> tuple[str, nn.Module] | None:
        """Return the outermost layer of torch itself that runs now."""
        return next(((name, child) for name, child in self.modules if _is_layer(child)), None)

    def layer_name(self, default: str) -> str:
        """Return the name of the module that runs now; `default` for the outermost."""
        return self.modules[-1][0] or default

    @contextlib.contextmanager
    def names_of_layers(self) -> Iterator[None]:
        """Follow which module runs, by hooks."""
        hooks = []
        for child, name in self._names.items():
            hooks.append(
                child.register_forward_pre_hook(lambda m, _, name=name: self.modules.append((name, m)))
            )
            hooks.append(
                child.register_forward_hook(lambda *_: self.modules.pop() and None, always_call=True)
            )
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        given = list(_tensors((args, kwargs)))
        known = [value for tensor in given if (value := self.value(tensor))]
        before = self._replaced(args), self._replaced(kwargs)  # an operation in place changes them
        versions = [_version(tensor) for tensor in given]
        result = function(*args, **kwargs)
        if not known:
            return result
        name = name_of(function)
        if function.__name__ in _SHOWS:
            self.shown = self.shown or f"{function.__name__} of a tensor, {self.where()}"
        unknown = next((value for value in known if isinstance(value, Unknown)), None)
        if name.endswith("_cell"):
            unknown = None  # the loop is the reason, whatever it reads
        outcome = unknown or self._outcome(name, *before, result)
        if name == "iter":
            result = list(result)
        for tensor, version in zip(given, versions, strict=True):
            if _version(tensor) != version:
                self._forget(tensor)
        self._bind(result, outcome)
        return iter(result) if name == "iter" else result

    def _forget(self, changed: torch.Tensor) -> None:
        """Note that a tensor was changed in place, and others that share its memory."""
        reason = Unknown(f"{self.where()}: a tensor that shares memory with others is changed in place")
        self._bind(changed, reason)
        memory = changed.untyped_storage().data_ptr()
        for tensor, _ in list(self.values.values()):
            if tensor.untyped_storage().data_ptr() == memory:
                self._bind(tensor, reason)

    def _outcome(self, name: str, args: Any, kwargs: Any, result: Any) -> Any:
        if not any(True for _ in _tensors(result)):
            return None
        operation = self._operations.get(name)
        if operation is None:
            return Unknown(self._no_counterpart(name))
        try:
            return operation(self, *args, **kwargs)
        except Refusal as refusal:
            return Unknown(f"{self.where()}: {refusal}")
        except Exception as error:
            return Unknown(f"{self.where()}: {name} is called in a way that is not known here ({error})")

    def _no_counterpart(self, operation: str) -> str:
        layer = self._layer()
        if not layer:
            return f"{self.where()}: the operation '{operation}' has no counterpart here; {_REMEDY}"
        name, kind = layer[0], type(layer[1]).__name__
        a = "an" if kind[0] in "AEIOU" else "a"
        subject = f"layer '{name}'" if name else "the module"
        return f"{subject} is {a} {kind}, which has no counterpart here; {_REMEDY}"

    def _replaced(self, given: Any) -> Any:
        if isinstance(given, torch.Tensor):
            return self.value(given) or given
        if isinstance(given, (tuple, list)) and not isinstance(given, torch.Size):
            return [self._replaced(item) for item in given]
        if isinstance(given, dict):
            return {key: self._replaced(item) for key, item in given.items()}
        return given

    def _bind(self, result: Any, outcome: Any) -> None:
        """Note the content of the tensors of a result. One outcome may stand for all of them."""
        if outcome is None:
            return
        if isinstance(result, torch.Tensor):
            if isinstance(outcome, Flow) and outcome.shape != tuple(result.shape):
                outcome = Unknown(f"{self.where()}: a tensor has an unexpected shape, {tuple(result.shape)}")
            self.values[id(result)] = (result, outcome)
        elif isinstance(result, (tuple, list)):
            for i, item in enumerate(result):
                self._bind(item, outcome[i] if isinstance(outcome, (tuple, list)) else outcome)


def _is_layer(module: nn.Module) -> bool:
    """Tell whether a module is a layer of torch itself, and no container."""
    home = type(module).__module__
    return home.startswith("torch.nn.modules.") and home != "torch.nn.modules.container"


def _version(tensor: torch.Tensor) -> int:
    """Return how often a tensor was changed in place."""
    return 0 if tensor.is_inference() else tensor._version


def _tensors(given: Any) -> Iterator[torch.Tensor]:
    if isinstance(given, torch.Tensor):
        yield given
    elif isinstance(given, (tuple, list)):
        for item in given:
            yield from _tensors(item)
    elif isinstance(given, dict):
        for item in given.values():
            yield from _tensors(item)
