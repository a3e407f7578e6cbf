"""Streams give the answers of Model.predict, step by step."""

import copy
import threading

import numpy as np
import pytest
from models import classifier, conv1d, embedding, linear, make, recurrent, series, tokens

import unroll

KINDS = {
    "rnn": lambda: classifier("rnn"),
    "gru": lambda: classifier("gru", num_layers=2),
    "lstm": lambda: classifier("lstm"),
    "f64": lambda: classifier("lstm", dtype="float64"),
    "mean": lambda: classifier("gru", readout="mean"),
    "conv1d": lambda: make(series(3), conv1d(3, 5), recurrent("gru", 5, 6), linear(6, 4)),
}
BATCH, STEPS = 5, 7


def steps_for(model, rng, steps=STEPS, batch=BATCH):
    return rng.normal(size=(steps, batch, model.inputs)).astype(model.dtype)


def answers_after(model, x, step):
    """Return what the model says of the first steps."""
    return model.predict(np.ascontiguousarray(x[: step + 1].transpose(1, 0, 2)))


@pytest.mark.parametrize("kind", KINDS)
def test_each_step_has_the_bits_of_predict(rng, kind):
    model = KINDS[kind]()
    stream, x = model.stream(BATCH), steps_for(model, rng)
    for t in range(STEPS):
        answers = stream.step(x[t])
        assert answers.dtype == model.dtype
        np.testing.assert_array_equal(answers, answers_after(model, x, t))


@pytest.mark.parametrize("kind", KINDS)
def test_process_takes_steps_together(rng, kind):
    model = KINDS[kind]()
    x = steps_for(model, rng)
    one, many = model.stream(BATCH), model.stream(BATCH)
    expected = np.stack([one.step(step) for step in x])
    np.testing.assert_array_equal(many.process(x[:3]), expected[:3])
    out = np.full((4, BATCH, 4), np.nan, model.dtype)
    assert many.process(x[3:], out=out) is out
    np.testing.assert_array_equal(out, expected[3:])
    assert many.process(x[:0]).shape == (0, BATCH, 4)


def test_answers_go_where_the_caller_says(rng):
    model = classifier()
    stream, other, x = model.stream(BATCH), model.stream(BATCH), steps_for(model, rng)
    out = np.empty((BATCH, 4), np.float32)
    for step in x:
        assert stream.step(step, out=out) is out
        np.testing.assert_array_equal(out, other.step(step))


def test_results_may_lie_in_the_input(rng):
    model = classifier(inputs=4)
    x = steps_for(model, rng)
    expected = model.stream(BATCH).process(x)
    assert model.stream(BATCH).process(x, out=x) is x
    np.testing.assert_array_equal(x, expected)


def test_one_sequence_needs_no_dimension_of_its_own(rng):
    model = classifier()
    x = steps_for(model, rng, batch=1)
    expected = model.stream().process(x)
    assert expected.shape == (STEPS, 1, 4)
    np.testing.assert_array_equal(model.stream().process(x[:, 0]), expected[:, 0])
    stream = model.stream()
    for t in range(STEPS):
        answers = stream.step(x[t, 0])
        assert answers.shape == (4,)
        np.testing.assert_array_equal(answers, expected[t, 0])


def test_tokens(rng):
    model = make(tokens(7), embedding(7, 4), recurrent("gru", 4, 6), linear(6, 3))
    x = rng.integers(0, 7, (STEPS, BATCH))
    stream = model.stream(BATCH)
    for t in range(STEPS):
        np.testing.assert_array_equal(stream.step(x[t]), model.predict(x[: t + 1].T))
    np.testing.assert_array_equal(model.stream().step(3), model.predict([3]))
    with pytest.raises(unroll.ArgumentError, match="7"):
        stream.step([7] * BATCH)


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_sequences_of_the_mask_start_again(rng, kind):
    model = KINDS[kind]()
    x, done = steps_for(model, rng), np.array([True, False, False, True, False])
    stream, kept, new = (model.stream(BATCH) for _ in range(3))
    for step in x[:3]:
        stream.step(step)
        kept.step(step)
    stream.reset(done)
    for step in x[3:]:
        answers = stream.step(step)
        expected = np.where(done[:, None], new.step(step), kept.step(step))
        np.testing.assert_array_equal(answers, expected)


@pytest.mark.parametrize("done", [None, [1] * BATCH, np.ones(BATCH, np.uint8), np.ones(BATCH, bool)])
def test_all_sequences_start_again(rng, done):
    model = classifier()
    stream, x = model.stream(BATCH), steps_for(model, rng)
    first = stream.process(x)
    stream.reset(done)
    np.testing.assert_array_equal(stream.process(x), first)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_state_can_be_kept_and_set(rng, cell):
    model = classifier(cell, num_layers=2)
    stream, x = model.stream(BATCH), steps_for(model, rng)
    stream.process(x[:3])
    state = stream.state
    assert len(state) == 2
    for layer in state:
        assert isinstance(layer, tuple) == (cell == "lstm")
        for array in layer if cell == "lstm" else [layer]:
            assert array.shape == (BATCH, 8)
    expected = stream.process(x[3:])
    other = model.stream(BATCH)
    other.state = state
    np.testing.assert_array_equal(other.process(x[3:]), expected)


def test_a_state_is_a_copy(rng):
    model = classifier()
    stream, x = model.stream(BATCH), steps_for(model, rng)
    stream.step(x[0])
    before = stream.state[0].copy()
    stream.state[0][:] = 9
    np.testing.assert_array_equal(stream.state[0], before)


@pytest.mark.parametrize("state", [[], [np.zeros((5, 7))], [np.zeros((5, 8))], [(np.zeros((5, 8)),)]])
def test_a_state_that_does_not_fit_changes_nothing(rng, state):
    model = classifier("lstm")
    stream, x = model.stream(BATCH), steps_for(model, rng)
    stream.step(x[0])
    expected = stream.copy().step(x[1])
    with pytest.raises(unroll.ShapeError, match=r"state|layer"):
        stream.state = state
    np.testing.assert_array_equal(stream.step(x[1]), expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("copied", [lambda s: s.copy(), copy.copy, copy.deepcopy])
def test_a_copy_goes_on_alone(rng, kind, copied):
    model = KINDS[kind]()
    stream, x = model.stream(BATCH), steps_for(model, rng)
    stream.process(x[:3])
    other = copied(stream)
    expected = stream.process(x[3:])
    np.testing.assert_array_equal(other.process(x[3:]), expected)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: s.step(np.zeros((4, 3))), r"\(4, 3\), expected \(5, 3\)"),
        (lambda s: s.step(np.zeros(3)), r"\(3,\), expected \(5, 3\)"),
        (lambda s: s.process(np.zeros((5, 7, 3))), r"\(5, 7, 3\), expected \(T, 5, 3\)"),
        (lambda s: s.process(np.zeros(())), "expected"),
        (lambda s: s.step(np.zeros((5, 3)), out=np.zeros((5, 4))), "float32"),
        (lambda s: s.step(np.zeros((5, 3)), out=np.zeros((4, 5), np.float32).T), "contiguous"),
        (lambda s: s.step(np.zeros((5, 3)), out=np.zeros((5, 3), np.float32)), r"\(5, 3\)"),
        (lambda s: s.reset([True]), r"\(1,\), expected \(5,\)"),
    ],
)
def test_a_wrong_shape_is_named_and_changes_nothing(rng, call, words):
    model = classifier()
    stream, x = model.stream(BATCH), steps_for(model, rng)
    with pytest.raises(unroll.ShapeError, match=words):
        call(stream)
    np.testing.assert_array_equal(stream.process(x), model.stream(BATCH).process(x))


def test_some_models_do_not_run_step_by_step():
    with pytest.raises(unroll.ArgumentError, match="bidirectional"):
        classifier(bidirectional=True).stream()
    with pytest.raises(unroll.ArgumentError, match="0 sequences"):
        classifier().stream(0)


def test_streams_of_one_model_run_in_threads(rng):
    model = classifier(hidden=32)
    x = steps_for(model, rng, 500)
    expected, found = model.stream(BATCH).process(x), []
    threads = [
        threading.Thread(target=lambda: found.append(model.stream(BATCH).process(x))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for answers in found:
        np.testing.assert_array_equal(answers, expected)


def test_a_stream_refuses_a_second_thread(rng):
    # The second thread asks while the first computes, or after it: both are right, and nothing else is.
    model = classifier(hidden=64)
    x = steps_for(model, rng, 5000)
    stream = model.stream(BATCH)
    refused = []
    thread = threading.Thread(target=lambda: stream.process(x))
    thread.start()
    while thread.is_alive():
        try:
            stream.copy()
        except unroll.ArgumentError as error:
            refused.append(str(error))
    thread.join()
    assert all("the stream is in use, perhaps by another thread" in text for text in refused)
    np.testing.assert_array_equal(stream.state[0], _last_state(model, x))


def _last_state(model, x):
    stream = model.stream(BATCH)
    stream.process(x)
    return stream.state[0]


def test_arrays_of_nothing_are_refused(walks):
    stream = walks["model"].stream()
    for empty in (np.empty(2, "V0"), np.empty(2, np.dtype([]))):
        with pytest.raises(TypeError, match="expected numbers"):
            stream.step(empty)


def test_more_sequences_than_memory_are_refused(walks):
    with pytest.raises(unroll.ArgumentError, match="expected 1 to"):
        walks["model"].stream(2**61)
