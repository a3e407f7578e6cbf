"""States that go into and out of an exported ONNX model, against torch, and streaming, against `unroll predict`."""

import numpy as np
import pytest
import torch

from onnx_models import (
    CELLS, HIDDEN, INPUTS, MIXED, RESIDUAL, Model, close, directions, outputs, pixels,
    recurrent, torch_layer, with_head,
)

# ---- states -------------------------------------------------------------------------------------


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one_way", "both_ways"])
@pytest.mark.parametrize("cell", CELLS)
def test_states_go_in_and_out_as_in_torch(tmp_path, cell, bidirectional):
    layer = CELLS[cell] | {"num_layers": 2, "bidirectional": bidirectional, "readout": "every_step"}
    model = Model(tmp_path, [layer])
    name, rng = layer["name"], np.random.default_rng(2)
    x = rng.normal(size=(3, 6, INPUTS)).astype(np.float32)
    states = rng.normal(size=(2, 2 * directions(layer), 3, HIDDEN)).astype(np.float32)
    feeds = {"input": x, f"{name}.h_0": states[0]}
    given = torch.tensor(states[0])
    if cell == "lstm":
        feeds[f"{name}.c_0"] = states[1]
        given = (given, torch.tensor(states[1]))
    with torch.no_grad():
        y, final = torch_layer(layer, model.weights)(torch.tensor(x), given)
    got = outputs(model.export("--no-scaling"), feeds)
    close(got["output"], y.numpy())
    close(got[f"{name}.h_n"], (final[0] if cell == "lstm" else final).numpy())
    if cell == "lstm":
        close(got[f"{name}.c_n"], final[1].numpy())


def test_one_state_for_all_sequences_and_a_learnt_one(tmp_path):
    layer = recurrent("lstm", num_layers=2, learn_initial_state=True)
    model = Model(tmp_path, with_head(layer))
    session = model.export()
    images = pixels(3, 6, INPUTS)
    left_out = outputs(session, {"input": images})["output"]
    close(left_out, model.predict_all(images))
    learnt = {name: model.weights[name] for name in ("lstm.h_0", "lstm.c_0")}
    close(outputs(session, {"input": images} | learnt)["output"], left_out, 0)
    everyone = {name: np.repeat(value, 3, axis=1) for name, value in learnt.items()}
    close(outputs(session, {"input": images} | everyone)["output"], left_out, 0)
    other = {name: value + 1 for name, value in everyone.items()}
    assert abs(outputs(session, {"input": images} | other)["output"] - left_out).max() > 0.01


def test_a_sequence_in_two_pieces(tmp_path):
    model = Model(tmp_path, with_head(recurrent("gru", num_layers=2)))
    session = model.export()
    images = pixels(2, 9, INPUTS)
    first = outputs(session, {"input": images[:, :4]})
    second = outputs(session, {"input": images[:, 4:], "gru.h_0": first["gru.h_n"]})
    close(second["output"], model.predict_all(images))


# ---- one step at a time -------------------------------------------------------------------------


@pytest.mark.parametrize("readout", ["last", "mean", "max", "mean_last", "every_step"])
@pytest.mark.parametrize("cell", CELLS)
def test_streaming_equals_the_whole(tmp_path, cell, readout):
    layer = CELLS[cell] | {"num_layers": 2, "readout": readout}
    check_streaming(Model(tmp_path, with_head(layer)))


def test_streaming_with_layers_between_and_learnt_states(tmp_path):
    check_streaming(Model(tmp_path, MIXED))
    check_streaming(Model(tmp_path, RESIDUAL))
    check_streaming(Model(tmp_path, with_head(recurrent("gru", learn_initial_state=True, readout="mean"))))
    check_streaming(Model(tmp_path, [recurrent("gru", readout="every_step")]))


def check_streaming(model):
    session = model.export("--streaming")
    images = pixels(2, 7, INPUTS)
    expected = np.stack([model.predict(image, rows=True) for image in images])
    carried = {}
    for t in range(images.shape[1]):
        got = outputs(session, {"input": images[:, t]} | carried)
        close(got.pop("output"), expected[:, t])
        carried = {name.removesuffix("_n") + "_0": value for name, value in got.items()}
    # Everything that is carried has an input.
    assert set(carried) == {i.name for i in session.get_overridable_initializers()}
