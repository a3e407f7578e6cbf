"""`unroll.from_torch`. Torch is imported when a module is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unroll.errors import NO_PYTORCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from unroll.model import Model

__all__ = ["from_torch"]


def from_torch(
    module: torch.nn.Module,
    example_input: torch.Tensor,
    *,
    output: str = "logits",
    classes: Sequence[str] = (),
) -> Model:
    """Make a model from a live PyTorch module.

    The module runs once on the example, in eval mode and without gradients. Its layers, their options
    and their order are read while it runs. The model must then give the module's outputs, to 1e-5, on
    the example and on a random input of another length and batch size.

    Parameters
    ----------
    module : torch.nn.Module
        A trained network with one input and one output. It is not changed.
    example_input : torch.Tensor
        One input for `module`, of any batch size and length, for example ``torch.randn(2, 50, 6)``.
        Its numbers do not matter. Tokens are whole numbers.
    output : {"logits", "scores", "values"}
        What the module gives: logits of classes, scores of classes (trained with squared errors), or
        values of a regression. The numbers are the same.
    classes : sequence of str
        The names of the classes. Default: none.

    Returns
    -------
    Model
        The model in the precision of the module's weights. It reads (N, T, I), whatever `batch_first`
        is. A softmax at the module's end is left out: `predict` gives the logits, and `predict_proba` their
        softmax.

    Raises
    ------
    ArgumentError
        If a layer or an operation has no counterpart, naming it; or if an output differs, saying where
        and by how much.
    ImportError
        If PyTorch is not installed.

    Examples
    --------
    >>> import torch, unroll
    >>> net = torch.nn.LSTM(6, 32, batch_first=True)
    >>> model = unroll.from_torch(net, torch.randn(2, 50, 6))
    >>> model.predict(np.zeros((4, 7, 6), np.float32)).shape
    (4, 7, 32)
    """
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ImportError(f"[from_torch] {NO_PYTORCH}") from None
    from .convert import converted

    return converted(module, example_input, output, list(classes))
