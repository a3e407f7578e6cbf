#!/usr/bin/env python3
"""Times one time step at batch 1 in ONNX Runtime: one call of a model of one recurrent operator.

    python3 onnxruntime_step.py --workload step/rnn_relu/i28_h100 --threads 1 --seconds 2 [--bound]

A call is session.run with numpy's arrays; with --bound, run_with_iobinding.
"""
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import timing

GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def states_of(sizes):
    return ("h", "c") if sizes.model == "lstm" else ("h",)


def one_step_model(sizes):
    """Input x (1, 1, I) and states (1, 1, H) to the next states by RNN, LSTM or GRU; no readout."""
    generator = np.random.default_rng(0)
    bound = 1 / np.sqrt(sizes.hidden)
    rows = GATES[sizes.model] * sizes.hidden
    states = states_of(sizes)

    def weight(name, *shape):
        return numpy_helper.from_array(
            generator.uniform(-bound, bound, shape).astype(np.float32), name)

    def value(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    options = {"rnn": {"activations": [sizes.nonlinearity.capitalize()]},
               "lstm": {}, "gru": {"linear_before_reset": 1}}[sizes.model]
    node = helper.make_node(
        sizes.model.upper(), ["x", "W", "R", "B", "", *states],
        ["", *(f"{state}_next" for state in states)], hidden_size=sizes.hidden, **options)
    graph = helper.make_graph(
        [node], "one time step",
        [value("x", 1, 1, sizes.inputs), *(value(state, 1, 1, sizes.hidden) for state in states)],
        [value(f"{state}_next", 1, 1, sizes.hidden) for state in states],
        [weight("W", 1, rows, sizes.inputs), weight("R", 1, rows, sizes.hidden),
         weight("B", 1, 2 * rows)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def session_of(sizes, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(one_step_model(sizes), options,
                                        providers=["CPUExecutionProvider"])


def plain_step(session, x, states):
    inputs = {"x": x, **states}

    def step():
        inputs.update(zip(states, session.run(None, inputs)))

    return step


def bound_step(session, x, states):
    """The states go back and forth between two arrays each."""
    x = onnxruntime.OrtValue.ortvalue_from_numpy(x)
    pairs = {state: [onnxruntime.OrtValue.ortvalue_from_numpy(array)
                     for array in (first, np.zeros_like(first))]
             for state, first in states.items()}
    bindings = []
    for i in range(2):
        binding = session.io_binding()
        binding.bind_ortvalue_input("x", x)
        for state, pair in pairs.items():
            binding.bind_ortvalue_input(state, pair[i])
            binding.bind_ortvalue_output(f"{state}_next", pair[1 - i])
        bindings.append(binding)
    done = 0

    def step():
        nonlocal done
        session.run_with_iobinding(bindings[done & 1])
        done += 1

    return step


arguments = timing.read_arguments(__doc__, bound="inputs and outputs bound before")
if not arguments.workload.startswith("step/"):
    raise SystemExit(f"[workload] {arguments.workload}, expected step/...: nothing is trained here")
sizes = arguments.sizes
call = (bound_step if arguments.bound else plain_step)(
    session_of(sizes, arguments.threads),
    np.random.default_rng(1).random((1, 1, sizes.inputs), np.float32),
    {state: np.zeros((1, 1, sizes.hidden), np.float32) for state in states_of(sizes)})
timing.report(f"ONNX Runtime {onnxruntime.__version__}", arguments,
              timing.measure(call, arguments.seconds))
