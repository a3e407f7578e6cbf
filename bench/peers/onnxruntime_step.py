#!/usr/bin/env python3
"""Times one time step at batch 1 in ONNX Runtime: one call of a model of one RNN operator.

    python3 onnxruntime_step.py --workload step/rnn_relu/i28_h100 --threads 1 --seconds 2 [--bound]

A call is session.run with numpy's arrays; with --bound, run_with_iobinding.
"""
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import timing


def one_step_model(sizes):
    """h' = f(x W^T + h R^T + b), x (1, 1, I) and h (1, 1, H), as the operator RNN; no readout."""
    generator = np.random.default_rng(0)
    bound = 1 / np.sqrt(sizes.hidden)

    def weight(name, *shape):
        return numpy_helper.from_array(
            generator.uniform(-bound, bound, shape).astype(np.float32), name)

    def value(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    node = helper.make_node(
        "RNN", ["x", "W", "R", "B", "", "h"], ["", "h_next"], hidden_size=sizes.hidden,
        activations=[sizes.nonlinearity.capitalize()])
    graph = helper.make_graph(
        [node], "one time step",
        [value("x", 1, 1, sizes.inputs), value("h", 1, 1, sizes.hidden)],
        [value("h_next", 1, 1, sizes.hidden)],
        [weight("W", 1, sizes.hidden, sizes.inputs), weight("R", 1, sizes.hidden, sizes.hidden),
         weight("B", 1, 2 * sizes.hidden)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def session_of(sizes, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(one_step_model(sizes), options,
                                        providers=["CPUExecutionProvider"])


def plain_step(session, x, state):
    def step():
        nonlocal state
        state = session.run(None, {"x": x, "h": state})[0]

    return step


def bound_step(session, x, state):
    """The state goes back and forth between two arrays."""
    x, *states = [onnxruntime.OrtValue.ortvalue_from_numpy(array)
                  for array in (x, state, np.zeros_like(state))]
    bindings = []
    for i in range(2):
        binding = session.io_binding()
        binding.bind_ortvalue_input("x", x)
        binding.bind_ortvalue_input("h", states[i])
        binding.bind_ortvalue_output("h_next", states[1 - i])
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
    np.zeros((1, 1, sizes.hidden), np.float32))
timing.report(f"ONNX Runtime {onnxruntime.__version__}", arguments,
              timing.measure(call, arguments.seconds))
