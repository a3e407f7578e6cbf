"""The recurrent layers of PyTorch, computed by Unroll on the CPU.

``accelerate`` changes the layers of a model in place. Their constructors, parameters, ``state_dict``
and numbers stay those of ``torch.nn``::

    import unroll.torch
    unroll.torch.accelerate(model)

Unroll's tasks run in PyTorch's threads, so ``torch.set_num_threads`` counts.
"""

import os
import warnings

from unroll.errors import NO_PYTORCH

try:
    import torch
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise ImportError(f"[unroll.torch] {NO_PYTORCH}") from None

from unroll import _core
from unroll.torch._compile import when_dynamo_is_imported
from unroll.torch._episodes import Stepper, sequences
from unroll.torch._layers import GRU, LSTM, RNN, _Layer
from unroll.torch._reasons import why_not
from unroll.torch._swap import accelerate, decelerate, frozen

__all__ = ["GRU", "LSTM", "RNN", "Stepper", "accelerate", "decelerate", "frozen", "sequences", "why_not"]


def _leave_to_unroll() -> None:
    _Layer.forward = torch.compiler.disable(_Layer.forward)  # type: ignore[method-assign, no-untyped-call]


if not _core.follow_torch():
    warnings.warn(
        "[unroll.torch] PyTorch's OpenMP was not found, so Unroll has threads of its own beside PyTorch's; "
        "torch.set_num_threads(1) keeps the two apart",
        stacklevel=2,
    )
# A team of threads seldom survives a fork.
os.register_at_fork(after_in_child=lambda: _core.set_num_threads(1))
when_dynamo_is_imported(_leave_to_unroll)
