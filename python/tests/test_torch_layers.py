"""What a layer must survive: copies, files, hooks, optimizers, parametrizations, wrong arguments."""

import copy
import gc
import io
import pickle
import warnings
import weakref

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import torch.nn.utils.prune as prune  # noqa: E402
from torch_pairs import flat, pair  # noqa: E402

import unroll  # noqa: E402
import unroll.torch  # noqa: E402

nn = torch.nn


def outputs(layer, x):
    return flat(layer(x))


def expect_same(p, q, tolerance=1e-6):
    assert all((s - t).abs().max() <= tolerance for s, t in zip(flat(p), flat(q), strict=True))


def test_accelerate_changes_the_class_alone():
    class Mine(nn.GRU):
        pass

    model = nn.ModuleDict(
        {"a": nn.GRU(3, 4), "b": nn.Sequential(nn.LSTM(3, 5), nn.RNN(5, 2)), "c": Mine(3, 4)}
    )
    before = [*map(id, model.parameters())]
    text, keys = repr(model), [*model.state_dict()]
    assert unroll.torch.accelerate(model) is model
    assert [type(m) for m in (model["a"], *model["b"], model["c"])] == [
        unroll.torch.GRU,
        unroll.torch.LSTM,
        unroll.torch.RNN,
        Mine,
    ]
    assert isinstance(model["a"], nn.GRU)
    assert [*map(id, model.parameters())] == before
    assert repr(model) == text and [*model.state_dict()] == keys
    unroll.torch.decelerate(model)
    assert type(model["a"]) is nn.GRU and type(model["b"][1]) is nn.RNN


def test_hooks_and_optimizer():
    layer = nn.LSTM(3, 4)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    calls = []
    layer.register_forward_hook(lambda *_: calls.append("forward"))
    layer.register_forward_pre_hook(lambda *_: calls.append("before"))
    layer.register_full_backward_hook(lambda *_: calls.append("backward"))
    layer.weight_hh_l0.register_hook(lambda g: g * 0)
    unroll.torch.accelerate(layer)
    before = layer.weight_hh_l0.detach().clone(), layer.weight_ih_l0.detach().clone()
    layer(torch.randn(5, 2, 3, requires_grad=True))[0].sum().backward()
    optimizer.step()
    assert calls == ["before", "forward", "backward"]
    assert torch.equal(layer.weight_hh_l0, before[0]) and not torch.equal(layer.weight_ih_l0, before[1])


def test_copies_and_files():
    layer = unroll.torch.accelerate(nn.Sequential(nn.LSTM(3, 4, num_layers=2)))
    x = torch.randn(5, 2, 3)
    expected = layer(x)
    buffer = io.BytesIO()
    torch.save(layer, buffer)
    buffer.seek(0)
    clones = [
        copy.deepcopy(layer),
        pickle.loads(pickle.dumps(layer)),
        torch.load(buffer, weights_only=False),
    ]
    for clone in clones:
        assert type(clone[0]) is unroll.torch.LSTM
        expect_same(clone(x), expected, 0)
        with torch.no_grad():
            clone[0].weight_hh_l0.zero_()
    expect_same(layer(x), expected, 0)
    plain = nn.LSTM(3, 4, num_layers=2)
    plain.load_state_dict(layer[0].state_dict(), strict=True)
    expect_same(plain(x), expected)


def test_a_layer_is_freed():
    layer = unroll.torch.GRU(3, 4)
    out = layer(torch.randn(5, 2, 3))[0]
    out.sum().backward()
    seen = weakref.ref(layer), weakref.ref(out)
    gc.disable()  # no cycle holds the memory of a call
    try:
        del out, layer
        assert seen[1]() is None
    finally:
        gc.enable()
    gc.collect()
    assert seen[0]() is None


def test_weight_norm_and_pruning():
    a, b = pair("gru")
    for layer in (a, b):
        nn.utils.parametrizations.weight_norm(layer, "weight_hh_l0")
        prune.l1_unstructured(layer, "weight_ih_l0", amount=0.5)
    b.load_state_dict(a.state_dict())
    x = torch.randn(5, 3, 7)
    for layer in (a, b):
        layer(x)[0].sum().backward()
    grads = [[p.grad for p in layer.parameters()] for layer in (a, b)]
    assert all((p - q).abs().max() <= 1e-5 for p, q in zip(*grads, strict=True))


def test_tied_and_replaced_weights():
    a, b = pair("gru")
    for layer in (a, b):
        layer.bias_hh_l0 = layer.bias_ih_l0
        layer.weight_hh_l0 = nn.Parameter(torch.full((36, 12), 0.1))
    x = torch.randn(5, 3, 7)
    expect_same(a(x), b(x), 1e-5)
    for layer in (a, b):
        layer(x)[0].sum().backward()
    assert (a.bias_ih_l0.grad - b.bias_ih_l0.grad).abs().max() < 1e-4


def test_packed_weights_are_never_stale():
    b = pair("gru")[1]
    core = unroll.torch._function.core_of(b)
    x = torch.randn(1, 2, 7)
    with torch.no_grad():
        first = b(x)[0]
        packs = core.packs
        for _ in range(5):
            assert torch.equal(b(x)[0], first)
        assert core.packs == packs  # they are kept
        for change in (
            lambda: b.weight_hh_l0.data.mul_(1.5),
            lambda: b.bias_ih_l0.detach().numpy().__setitem__(3, 1.0),
            lambda: setattr(b.weight_ih_l0, "data", b.weight_ih_l0.data * 2),
            lambda: b.load_state_dict({k: v * 0.5 for k, v in b.state_dict().items()}),
        ):
            change()
            fresh = nn.GRU(7, 12)
            fresh.load_state_dict(b.state_dict())
            for steps in (1, 4):
                given = x.expand(steps, 2, 7)
                expect_same(b(given), fresh(given), 1e-6)


def test_frozen():
    b = pair("lstm")[1]
    x = torch.randn(1, 2, 7)
    with torch.no_grad():
        before = b(x)[0]
        with unroll.torch.frozen(b) as same:
            assert same is not None
            b.weight_hh_l0.data.mul_(2)
            assert torch.equal(b(x)[0], before)
        assert torch.equal(b(x)[0], b(x.expand(2, 2, 7))[0][:1])
        pickle.dumps(b)


def test_functional_call():
    a, b = pair("rnn_tanh")
    x = torch.randn(5, 3, 7)
    other = {k: v * 2 for k, v in a.state_dict().items()}
    expect_same(*(torch.func.functional_call(layer, other, (x,)) for layer in (a, b)), 1e-5)
    expect_same(b(x), a(x), 1e-5)


@pytest.mark.parametrize(
    "reason, prepare",
    [
        ("bfloat16", lambda layer, x: (layer.bfloat16(), x.bfloat16())),
        ("torch.float16", lambda layer, x: (layer.half(), x.half())),
        ("another type", lambda layer, x: (layer.double(), x)),
    ],
)
def test_what_unroll_does_not_compute_is_pytorchs_and_says_why(reason, prepare):
    a, b = pair("gru")
    a, _ = prepare(a, torch.randn(5, 2, 7))
    b, x = prepare(b, torch.randn(5, 2, 7))
    unroll.torch._reasons._warned.clear()
    assert reason in unroll.torch.why_not(b, x)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            expected = a(x)
        except (RuntimeError, ValueError) as error:
            with pytest.raises(type(error)):
                b(x)
        else:
            expect_same(b(x), expected, 0)
            b(x)
    texts = [str(w.message) for w in caught if "[unroll.torch]" in str(w.message)]
    assert len(texts) == 1 and reason in texts[0]


@pytest.mark.filterwarnings("ignore")
def test_modes():
    b = pair("gru")[1]
    x = torch.randn(5, 2, 7)
    assert unroll.torch.why_not(b, x) is None
    with torch.autocast("cpu"):
        assert unroll.torch.why_not(b, x) == "autocast is on"
        assert b(x)[0].dtype is nn.GRU(7, 12)(x)[0].dtype
    traced = torch.jit.trace(b, x)
    expect_same(traced(x), b(x), 1e-6)
    with torch.autograd.forward_ad.dual_level():
        assert "forward mode" in unroll.torch.why_not(b, x)

    class Mode(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            return function(*args, **(kwargs or {}))

    with Mode():
        assert "mode" in unroll.torch.why_not(b, x)
    assert unroll.torch.why_not(b, x.to("meta")).endswith("on meta")

    class Special(torch.Tensor):
        pass

    assert unroll.torch.why_not(b, x.as_subclass(Special)) == "the input is a Special"


def test_errors_are_pytorchs():
    a, b = pair("lstm")
    h = torch.zeros(1, 2, 12)
    for arguments in (
        (torch.zeros(5, 2, 6),),
        (torch.zeros(5, 0, 7), None),
        (torch.zeros(5, 2, 2, 7),),
        (torch.zeros(5, 2, 7), (h, torch.zeros(1, 3, 12))),
        (torch.zeros(5, 2, 7), h),
        (torch.zeros(5, 7), (h, h)),
        (torch.zeros(0, 2, 7),),
    ):
        texts = []
        for layer in (a, b):
            try:
                texts.append([t.shape for t in flat(layer(*arguments))])
            except Exception as error:
                texts.append((type(error), str(error)))
        assert texts[0] == texts[1]


def test_a_packed_sequence_of_wrong_sizes_is_refused():
    gru = unroll.torch.GRU(3, 4)
    for sizes in ([1, 3000], [4, 1], [3], [2, 0, 2], [-1, 5]):
        wrong = nn.utils.rnn.PackedSequence(torch.zeros(4, 3), torch.tensor(sizes))
        with pytest.raises(unroll.ShapeError, match="batch_sizes"):
            gru(wrong)


def test_changed_sizes_and_weights_never_crash():
    x = torch.zeros(2, 1, 3)
    for change in ("hidden_size", "num_layers", "input_size"):
        gru = unroll.torch.GRU(3, 4)
        gru(x)
        setattr(gru, change, 400)
        with pytest.raises(Exception):  # noqa: B017 - PyTorch decides which
            gru(x)
        with torch.no_grad(), pytest.raises(Exception):  # noqa: B017
            gru(x[:1])
    gru = unroll.torch.GRU(3, 4)
    gru(x)
    gru.weight_hh_l0 = torch.nn.Parameter(torch.zeros(1, 1))
    assert unroll.torch.why_not(gru, x) == "the weights have other shapes than the layer's sizes ask for"
    with pytest.raises(RuntimeError):
        gru(x)


def test_a_stepper_notices_that_its_layer_has_changed():
    gru = unroll.torch.GRU(3, 4)
    step = unroll.torch.Stepper(gru)
    gru.hidden_size = 5
    with pytest.raises(unroll.ArgumentError, match="make a new Stepper"):
        step(torch.zeros(1, 3))


def weight_normed(layer):
    return nn.utils.parametrizations.weight_norm(layer, "weight_hh_l0")


def test_layers_under_weight_norm_change_too():
    x = torch.randn(5, 2, 3)
    for first, second in ((weight_normed, unroll.torch.accelerate), (unroll.torch.accelerate, weight_normed)):
        torch.manual_seed(0)
        layer = second(first(nn.GRU(3, 4)))
        assert isinstance(layer, unroll.torch.GRU)
        expected = layer(x)[0]
        assert "Recurrent" in type(expected.grad_fn).__name__
        theirs = unroll.torch.decelerate(layer)
        assert not isinstance(theirs, unroll.torch.GRU)
        assert (theirs(x)[0] - expected).abs().max() < 1e-5
        nn.utils.parametrize.remove_parametrizations(theirs, "weight_hh_l0")
        assert type(theirs) is nn.GRU


def test_frozen_contexts_in_each_other():
    gru, x = unroll.torch.GRU(3, 4), torch.randn(1, 1, 3)
    with torch.no_grad(), unroll.torch.frozen(gru):
        before = gru(x)[0]
        with unroll.torch.frozen(gru):
            pass
        gru.weight_hh_l0.data.mul_(2)
        gru.weight_ih_l0.data.mul_(2)
        assert torch.equal(gru(x)[0], before)
    with torch.no_grad():
        assert not torch.equal(gru(x)[0], before)


def test_a_plain_layer_can_be_frozen_for_a_stepper():
    gru, x = nn.GRU(3, 4), torch.randn(1, 3)
    step = unroll.torch.Stepper(gru)
    with unroll.torch.frozen(gru):
        before = step(x)
        gru.weight_ih_l0.data.mul_(2)
        step.reset()
        assert torch.equal(step(x), before)


def test_states_as_pytorch_takes_them():
    theirs, ours = pair("lstm")
    x = torch.randn(1, 3, 7)
    states = [torch.randn(1, 3, 12), torch.randn(1, 3, 12)]
    with torch.no_grad():
        assert (theirs(x, states)[0] - ours(x, states)[0]).abs().max() < 1e-5
        for wrong in (tuple(states) * 2, tuple(states[:1]), states[0]):
            errors = []
            for layer in (theirs, ours):
                with pytest.raises(Exception) as raised:
                    layer(x, wrong)
                errors.append(str(raised.value))
            assert errors[0] == errors[1]


def test_numbers_that_a_view_negates():
    theirs, ours = pair("gru")
    x = torch._neg_view(torch.randn(1, 3, 7))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert (theirs(x)[0] - ours(x)[0]).abs().max() < 1e-5


def test_arguments_that_are_no_modules():
    for function in (unroll.torch.accelerate, unroll.torch.decelerate, unroll.torch.frozen):
        with pytest.raises(unroll.ArgumentError, match=r"a int is given, expected a torch\.nn\.Module"):
            function(3)
    for wrong in ((0.1,), [0.1, 0.1], "a"):
        with pytest.raises(unroll.ArgumentError, match="expected a number, or a tuple of two"):
            unroll.torch.LSTM(3, 4, zoneout=wrong)
