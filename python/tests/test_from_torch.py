"""What from_torch does beside reading layers: wrappers, modes, meanings, its page."""

import doctest
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch_parts import Of, gru, linear, lstm, numbers  # noqa: E402

import unroll  # noqa: E402

F, nn = torch.nn.functional, torch.nn


def test_wrappers_and_modes_are_left_as_they_are():
    module = nn.Sequential(linear(8, 4), nn.Dropout(0.5), linear(4, 2).eval())
    model = unroll.from_torch(nn.DataParallel(module), np.zeros((2, 8), np.float32))
    assert [child.training for child in module] == [True, True, False]
    assert not module[0]._forward_hooks and not module[0]._forward_pre_hooks
    x = torch.randn(3, 8)
    module.eval()
    np.testing.assert_allclose(model.predict(x.numpy()), module(x).detach().numpy(), atol=1e-5)


def test_length_of_a_module_that_reads_no_other_is_kept():
    """The module itself fails on another number of steps."""

    def forward(self, x):
        return self.fc(self.rnn(x)[0].view(x.size(0), 7, 8)[:, -1])

    model = unroll.from_torch(Of(forward, rnn=gru(), fc=linear()), numbers(2, 7, 5))
    assert model.description["input"]["height"] == 7


def test_meaning_of_the_outputs():
    net, x = nn.Sequential(linear(), nn.Softmax(-1)), numbers(2, 8)
    model = unroll.from_torch(net, x, classes=["a", "b", "c"])
    assert (model.output, model.classes) == ("logits", ["a", "b", "c"])
    np.testing.assert_allclose(model.predict_proba(x.numpy()), net(x).detach().numpy(), atol=1e-5)
    assert unroll.from_torch(net[0], x, output="values").output == "values"
    with pytest.raises(unroll.ArgumentError, match="ends with a softmax, expected output='logits'"):
        unroll.from_torch(net, x, output="values")
    with pytest.raises(unroll.ArgumentError, match="output is 'value', expected 'logits', 'scores' or"):
        unroll.from_torch(net[0], x, output="value")
    with pytest.raises(unroll.ArgumentError, match="2 class names given, expected 3"):
        unroll.from_torch(net, x, classes=["a", "b"])


def test_accelerated_layers_are_read(recwarn):
    import unroll.torch

    torch.manual_seed(3)
    net = Of(lambda s, x: s.fc(s.rnn(x)[0][:, -1]), rnn=lstm(num_layers=2), fc=linear()).eval()
    x = numbers(4, 9, 5)
    y = net(x).detach().numpy()
    model = unroll.from_torch(unroll.torch.accelerate(net), numbers(2, 7, 5))
    np.testing.assert_allclose(model.predict(x.numpy()), y, atol=1e-5)
    assert not [w for w in recwarn if "unroll.torch" in str(w.message)]


def test_the_pages_examples_run():
    page = (Path(__file__).parents[2] / "docs/python.md").read_text(encoding="utf-8")
    text = page.split("\n## From PyTorch\n")[1].split("\n## ")[0]
    test = doctest.DocTestParser().get_doctest(text, {}, "docs/python.md", None, 0)
    assert len(test.examples) > 2
    assert doctest.DocTestRunner(verbose=False).run(test).failed == 0


def test_no_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"^\[from_torch\] PyTorch is not installed; install it with: pip"):
        unroll.from_torch(None, None)


def test_rounding_of_large_numbers_is_no_difference():
    """Two layers that add up: numbers inside are much larger than some outputs."""
    torch.manual_seed(0)
    rnn = nn.RNN(28, 100, 2, nonlinearity="relu", batch_first=True)
    nn.init.eye_(rnn.weight_hh_l0)
    nn.init.eye_(rnn.weight_hh_l1)
    net = Of(lambda s, x: s.fc(s.rnn(x)[0][:, -1]), rnn=rnn, fc=linear(100, 10))
    x = 10 * numbers(4, 28, 28)
    model = unroll.from_torch(net, x)
    y = net(x).detach().numpy()
    assert abs(y).max() > 10
    np.testing.assert_allclose(model.predict(x.numpy()), y, atol=1e-5 * abs(y).max())
