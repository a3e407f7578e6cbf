"""PyTorch's own samples of recurrent layers (torch.testing._internal), with Unroll's layers."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
common = pytest.importorskip(
    "torch.testing._internal.common_modules", reason="PyTorch's samples need expecttest and hypothesis"
)

import unroll.torch  # noqa: E402

OURS = {
    torch.nn.RNN: unroll.torch.RNN,
    torch.nn.GRU: unroll.torch.GRU,
    torch.nn.LSTM: unroll.torch.LSTM,
}
INFOS = [info for info in common.module_db if info.module_cls in OURS]
FEWEST = {torch.nn.RNN: 32, torch.nn.GRU: 16, torch.nn.LSTM: 32}  # samples of a type and mode
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}


def samples(info, dtype, training):
    torch.manual_seed(0)
    return info.module_inputs_func(info, device="cpu", dtype=dtype, requires_grad=True, training=training)


def build(kind, sample, dtype, training):
    arguments = sample.constructor_input
    torch.manual_seed(1)
    return kind(*arguments.args, **arguments.kwargs).to(dtype).train(training)


def leaves(thing):
    if isinstance(thing, torch.Tensor):
        return [thing]
    if isinstance(thing, torch.nn.utils.rnn.PackedSequence):
        return [thing.data]
    return [t for part in thing for t in leaves(part)] if isinstance(thing, (tuple, list)) else []


@pytest.mark.parametrize("info", INFOS, ids=lambda i: i.module_cls.__name__)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("training", [True, False])
def test_samples(info, dtype, training):
    count = 0
    for sample in samples(info, dtype, training):
        given = sample.forward_input
        results = []
        for kind in (info.module_cls, OURS[info.module_cls]):
            layer = build(kind, sample, dtype, training)
            if kind is not info.module_cls:
                assert unroll.torch.why_not(layer, *given.args, **given.kwargs) is None
            inputs = [t for t in leaves([*given.args, *given.kwargs.values()]) if t.requires_grad]
            for t in inputs:
                t.grad = None
            outputs = leaves(layer(*given.args, **given.kwargs))
            sum(t.sum() for t in outputs).backward()
            grads = [t.grad for t in inputs if t.is_leaf] + [p.grad for p in layer.parameters()]
            results.append([*outputs, *(g for g in grads if g is not None)])
        for theirs, ours in zip(*results, strict=True):
            limit = TOLERANCE[dtype] * max(1, theirs.abs().max().item())
            assert ours.shape == theirs.shape and (ours - theirs).abs().max() <= limit, sample.desc
        count += 1
    assert count >= FEWEST[info.module_cls]


@pytest.mark.parametrize("info", INFOS, ids=lambda i: i.module_cls.__name__)
def test_inputs_that_are_errors(info):
    if info.module_error_inputs_func is None:
        pytest.skip("PyTorch has none for this layer")
    for error in info.module_error_inputs_func(
        info, device="cpu", dtype=torch.float32, requires_grad=False, training=True
    ):
        sample = error.module_error_input
        kind = OURS[info.module_cls]
        with pytest.raises(error.error_type, match=error.error_regex):
            if error.error_on is common.ModuleErrorEnum.CONSTRUCTION_ERROR:
                build(kind, sample, torch.float32, True)
            else:
                build(kind, sample, torch.float32, True)(
                    *sample.forward_input.args, **sample.forward_input.kwargs
                )
