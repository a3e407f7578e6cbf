"""What is known about a tensor: the layers that it went through, and the meaning of its dimensions."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

_numbers = itertools.count()

RECURRENT = ("rnn", "lstm", "gru")
IMAGE_LAYERS = ("conv2d", "max_pool2d")
ENDINGS = ("softmax", "log_softmax")  # of a classifier; models here end before them


class Refusal(Exception):
    """Something that has no counterpart. Its text says what, and what to do."""


class Label:
    """One dimension with one meaning.

    The role of an input's dimension is unknown until a layer reads it: an LSTM says which one is time.
    """

    def __init__(self, size: int, role: str | None = None):
        self.size = size
        self.role = role

    def become(self, role: str) -> None:
        """Give the dimension a role, or check the role that it has."""
        if self.role is None:
            self.role = role
        if self.role != role:
            raise Refusal(
                f"a dimension of {self.size} is read as {role}, but as {self.role} before; check batch_first "
                "and the transpositions around the layer"
            )


Group = tuple[Label, ...]  # the labels that one dimension of a tensor holds, the slowest first


def size_of(group: Iterable[Label]) -> int:
    """Return the elements of a dimension."""
    return math.prod(label.size for label in group)


@dataclasses.dataclass(frozen=True)
class Layer:
    """A layer of the description. Two are equal if they come from the same call and have the same options."""

    options: dict[str, Any]
    weights: dict[str, np.ndarray] = dataclasses.field(default_factory=dict, compare=False)
    number: int = dataclasses.field(default_factory=lambda: next(_numbers))

    @property
    def type(self) -> str:
        """The kind of layer, as the description names it."""
        return str(self.options["type"])

    def replaced(self, **options: Any) -> Layer:
        """Return the same layer with other options."""
        return dataclasses.replace(self, options=self.options | options)


@dataclasses.dataclass(frozen=True)
class Flow:
    """The content of a tensor: the input after some layers.

    `dims` has a group of labels for each dimension. An empty group is a dimension of size 1.
    `features` are the labels of the numbers of one step, or of one sample. They are None for an input
    that no layer has read.
    """

    layers: tuple[Layer, ...]
    dims: tuple[Group, ...]
    features: Group | None = None
    whole: bool = False  # whole numbers: tokens, unless a recurrent layer reads them
    padded: tuple[int, int] = (0, 0)  # zeros before the first step and behind the last
    unpadded: Group = ()  # the steps without these zeros
    # One part of what a recurrent layer with two directions gives:
    step: int | None = None  # only step 0 or -1 of output
    direction: int | None = None  # only one direction; its features are a part of `both`
    both: Group = ()
    is_state: bool = False  # h_n as the layer gives it

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the tensor."""
        return tuple(size_of(group) for group in self.dims)

    def but(self, **changes: Any) -> Flow:
        """Return the flow with some fields changed."""
        return dataclasses.replace(self, **{"is_state": False, **changes})

    def has(self, role: str) -> bool:
        """Tell whether a dimension of the role is left."""
        return any(label.role == role for group in self.dims for label in group)

    def axis(self, dim: int) -> int:
        """Return a dimension's number, counted from 0."""
        count = len(self.dims)
        if not -count <= dim < count:
            raise Refusal(f"dimension {dim} of a tensor with {count} dimensions is not known")
        return dim % count

    def complete(self) -> Flow:
        """Return the flow if a layer can read it; otherwise raise a Refusal that says why not."""
        if self.layers and self.layers[-1].type in ENDINGS:
            raise Refusal(f"a {self.layers[-1].type} is followed by other layers; it can only be the end")
        if self.padded != (0, 0):
            raise Refusal("zeros are added to a sequence, but no Conv1d reads it next")
        if self.step is not None:
            raise Refusal(
                f"output[:, {self.step}] is read, where one direction has read only one step; "
                "take h_n instead: torch.cat([h_n[-2], h_n[-1]], -1)"
            )
        if self.direction is not None:
            raise Refusal("one direction of a bidirectional layer is used alone; use both, side by side")
        if self.has("layers"):
            raise Refusal("the states of all layers are read; take the last layer's, h_n[-1]")
        return self

    def read_on(self, dim: int) -> Flow:
        """Return the flow if the dimension holds the features, all of them."""
        flow = self.complete()
        group = flow.dims[flow.axis(dim)]
        if flow.features is None:
            for label in group:
                label.become("features")
            flow = flow.but(features=group)
        if group != flow.features:
            raise Refusal(
                "a layer reads a dimension that does not hold the features alone; "
                f"the tensor has the shape {flow.shape}"
            )
        return flow

    def then(self, layer: Layer) -> Flow:
        """Return the flow behind one more layer, which keeps the shape."""
        flow = self.complete()
        return flow.but(layers=(*flow.layers, layer))

    def with_features(self, layer: Layer, size: int) -> Flow:
        """Return the flow behind one more layer, which gives `size` features."""
        new = (Label(size, "features"),)
        dims = tuple(new if group == self.features else group for group in self.dims)
        return self.but(layers=(*self.layers, layer), dims=dims, features=new)

    def without(self, dim: int, *, keep: bool = False) -> Flow:
        """Return the flow without a dimension, or with one of size 1 in its place."""
        at = self.axis(dim)
        return self.but(dims=(*self.dims[:at], *([()] if keep else []), *self.dims[at + 1 :]))


def ungrouped(dims: Sequence[Group]) -> list[Label]:
    """Return all labels in the order of memory."""
    return [label for group in dims for label in group]


def regrouped(flow: Flow, shape: Sequence[int]) -> Flow:
    """Return the flow in another shape, if every new dimension holds whole labels."""
    labels = ungrouped(flow.dims)
    dims: list[Group] = []
    at = 0
    for size in shape:
        group: list[Label] = []
        while at < len(labels) and size_of(group) < size:
            if labels[at].size > 1 or labels[at].role == "features":
                group.append(labels[at])
            at += 1
        if size == 1 and at < len(labels) and labels[at].size == 1:
            group.append(labels[at])
            at += 1
        if size_of(group) != size:
            raise Refusal(
                f"a tensor of shape {flow.shape} becomes {tuple(shape)}, which mixes its dimensions; "
                "transpose it first"
            )
        dims.append(tuple(group))
    return flow.but(dims=tuple(dims))


def check_sequence(x: Flow, time: Group, batch: Group) -> None:
    """Give the dimensions that a layer reads their roles."""
    for group, role in ((time, "time"), (batch, "batch")):
        if len(group) > 1 or (role == "time" and not group):
            raise Refusal(f"it reads a tensor of shape {x.shape}, whose {role} is not one dimension")
        for label in group:
            label.become(role)
