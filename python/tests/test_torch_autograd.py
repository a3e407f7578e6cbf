"""What PyTorch's autograd may do with a layer."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch.utils.checkpoint import checkpoint  # noqa: E402
from torch_pairs import PAIRS, flat, pair  # noqa: E402


def close(p, q, tolerance=1e-5):
    return (p - q).abs().max() <= tolerance


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}, {"batch_first": True}])
def test_first_and_second_derivatives(name, options):
    torch.manual_seed(0)
    b = pair(name, inputs=3, hidden=6, dtype=torch.float64, **options)[1]
    x = torch.randn(3, 2, 3, dtype=torch.float64, requires_grad=True)
    names, weights = zip(*b.named_parameters(), strict=True)

    def function(x, *w):
        return tuple(flat(torch.func.functional_call(b, dict(zip(names, w, strict=True)), (x,))))

    leaves = (x, *(w.detach().clone().requires_grad_() for w in weights))
    assert torch.autograd.gradcheck(function, leaves, check_batched_grad=True, fast_mode=True)
    assert torch.autograd.gradgradcheck(function, leaves, fast_mode=True)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("packed", [False, True])
def test_gradient_penalty(name, packed):
    grads = []
    for layer in pair(name, num_layers=2):
        torch.manual_seed(1)
        x = torch.randn(5, 3, 7, requires_grad=True)
        given = x
        if packed:
            given = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor([5, 3, 1]))
        out = flat(layer(given))[0]
        (g,) = torch.autograd.grad(out.square().sum(), x, create_graph=True)
        (g.square().sum() + out.sum()).backward()
        grads.append([x.grad, *(p.grad for p in layer.parameters())])
    assert all(close(p, q, 1e-4 * max(1, p.abs().max())) for p, q in zip(*grads, strict=True))


@pytest.mark.parametrize("name", PAIRS)
def test_many_gradients_at_once(name):
    got = []
    for layer in pair(name):
        torch.manual_seed(1)
        x = torch.randn(4, 3, 7, requires_grad=True)
        out = layer(x)[0]
        vectors = torch.randn(6, *out.shape)
        got.append(torch.autograd.grad(out, x, vectors, is_grads_batched=True)[0])
    assert close(*got)


@pytest.mark.parametrize("name", PAIRS)
def test_backward_twice(name):
    a, b = pair(name)
    x = torch.randn(5, 2, 7)
    for layer in (a, b):
        y = layer(x)[0].sum()
        y.backward(retain_graph=True)
        y.backward()
    assert all(close(p.grad, q.grad, 1e-4) for p, q in zip(a.parameters(), b.parameters(), strict=True))
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_dropout_when_backward_is_called_twice():
    grads = []
    for layer in pair("gru", num_layers=2, dropout=0.5):
        torch.manual_seed(2)
        y = layer(torch.ones(5, 2, 7))[0].sum()
        y.backward(retain_graph=True)
        y.backward()
        grads.append([p.grad for p in layer.parameters()])
    assert all(close(p, q, 1e-4) for p, q in zip(*grads, strict=True))


@pytest.mark.parametrize("name", ["rnn_relu", "rnn_tanh", "gru", "lstm"])
@pytest.mark.parametrize("batch_first", [False, True])
def test_output_that_is_changed_in_place(name, batch_first):
    grads = []
    for layer in pair(name, batch_first=batch_first):
        torch.manual_seed(1)
        x = torch.randn(5, 4, 7)
        out = layer(x)[0]
        out = out * 1 if layer.mode == "LSTM" and type(layer) is torch.nn.LSTM else out  # it forbids that
        out += 1
        out.mul_(2)
        out.sum().backward()
        grads.append([p.grad for p in layer.parameters()])
    assert all(close(p, q, 1e-4) for p, q in zip(*grads, strict=True))


def test_weight_that_is_changed_before_backward():
    b = pair("gru")[1]
    y = b(torch.randn(5, 2, 7))[0]
    with torch.no_grad():
        b.weight_hh_l0.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpoint(reentrant, dropout):
    grads = []
    for layer in pair("lstm", num_layers=2, dropout=dropout):
        torch.manual_seed(4)
        x = torch.randn(5, 2, 7, requires_grad=True)
        checkpoint(lambda t, layer=layer: layer(t)[0], x, use_reentrant=reentrant).sum().backward()
        grads.append([x.grad, *(p.grad for p in layer.parameters())])
    assert all(close(p, q) for p, q in zip(*grads, strict=True))


def test_checkpoint_frees_the_memory_of_the_call():
    b = pair("lstm", inputs=8, hidden=64)[1]
    x = torch.randn(40, 16, 8, requires_grad=True)

    def kept(function):
        """The bytes that are saved in the graph, by the storages that stay."""
        storages = {}

        def pack(t):
            storages[t.untyped_storage().data_ptr()] = t.untyped_storage().nbytes()
            return t

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
            function()
        return sum(storages.values())

    plain = kept(lambda: b(x))
    assert plain > 40 * 16 * 64 * 4 * 4  # the sums of four gates
    assert kept(lambda: checkpoint(lambda t: b(t)[0], x, use_reentrant=False)) < plain / 4


def test_hooks_that_move_what_is_saved():
    grads = []
    for layer in pair("gru"):
        x = torch.ones(5, 2, 7, requires_grad=True)
        with torch.autograd.graph.save_on_cpu():
            layer(x)[0].sum().backward()
        grads.append(x.grad)
    assert close(*grads)


def test_parameters_that_are_frozen():
    a, b = pair("gru", num_layers=2)
    for layer in (a, b):
        layer.weight_ih_l0.requires_grad_(False)
        layer.bias_hh_l1.requires_grad_(False)
        layer(torch.ones(5, 2, 7))[0].sum().backward()
    assert b.weight_ih_l0.grad is None and b.bias_hh_l1.grad is None
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        assert p.grad is None or close(p.grad, q.grad)
    for p in b.parameters():
        p.requires_grad_(False)
    assert not b(torch.ones(5, 2, 7))[0].requires_grad


def test_gradient_of_the_final_state_alone():
    a, b = pair("lstm", num_layers=2)
    for layer in (a, b):
        layer(torch.ones(5, 2, 7))[1][1].square().sum().backward()
    assert all(close(p.grad, q.grad) for p, q in zip(a.parameters(), b.parameters(), strict=True))
