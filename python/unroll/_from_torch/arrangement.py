"""How the dimensions of a module's input and output lie beside a model's.

A model reads (N, T, I), or (N, 1, I) if nothing is a sequence. It gives (N, T, C) or (N, C).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from .flow import Flow, Label, Refusal, ungrouped

_FEATURES = ("features", "directions")


@dataclasses.dataclass(frozen=True)
class Arrangement:
    """The roles of a tensor's dimensions. Each is at most once in `roles`, except features."""

    roles: tuple[str, ...]
    sizes: tuple[int, ...]  # of the example

    def at(self, role: str) -> int | None:
        """Return the dimension with a role."""
        return self.roles.index(role) if role in self.roles else None

    def sized(self, batch: int, steps: int) -> list[int]:
        """Return the shape for other numbers of sequences and steps."""
        other = {"batch": batch, "time": steps}
        return [other.get(role, size) for role, size in zip(self.roles, self.sizes, strict=True)]

    def arranged(self, values: np.ndarray, batch: int, steps: int) -> np.ndarray:
        """Return the numbers as (N, T, features), with N and T 1 if they are missing."""
        shape = self.sized(batch, steps)
        order = sorted(range(len(shape)), key=lambda i: ("batch", "time", "features").index(self.roles[i]))
        n = batch if "batch" in self.roles else 1
        t = steps if "time" in self.roles else 1
        return values.reshape(shape).transpose(order).reshape(n, t, -1)


def _arrangement(labels: Sequence[Label], sequence: bool) -> Arrangement:
    """Name the labels. Those that no layer has named are the batch, then time."""
    roles = ["features" if label.role in _FEATURES else label.role for label in labels]
    for role in ("batch", "time") if sequence else ("batch",):
        if role not in roles and None in roles:
            roles[roles.index(None)] = role
    for i, label in enumerate(labels):
        if roles[i] is None and label.size == 1:  # no layer reads it, such as the channel of grey images
            roles[i] = "features"
    if None in roles:
        raise Refusal(f"the input has {len(labels)} dimensions, and no layer tells what each of them is")
    return Arrangement(tuple(str(role) for role in roles), tuple(label.size for label in labels))


def of_input(labels: Sequence[Label], sequence: bool) -> Arrangement:
    """Return the arrangement of the input."""
    return _arrangement(labels, sequence)


def of_output(flow: Flow, sequence: bool) -> Arrangement:
    """Return the arrangement of the output, after a check that it has all features."""
    if flow.features is None:
        raise Refusal("the module has no layer that a model here needs: no linear, recurrent or convolution")
    labels = ungrouped(flow.dims)
    features = [label for label in labels if label.role in _FEATURES and label.size > 1]
    if features != [label for label in flow.features if label.size > 1]:
        raise Refusal("the output is a part of a layer's features, or mixes them; that has no counterpart")
    return _arrangement(labels, sequence)
