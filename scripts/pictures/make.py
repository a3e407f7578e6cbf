"""make.py RUNS IMAGES: makes the pictures from the runs of scripts/pictures.sh."""

import os
import sys

import curves
import digits
import networks


def main(runs, images):
    def run(name):
        return os.path.join(runs, name)

    def image(name):
        return os.path.join(images, f"tutorial-{name}.svg")

    tuned = run("mnist-rnn-tuned-seed0")
    networks.transition(image("transition"), run("logistic"), run("fnn"), tuned)
    networks.lstm_cell(image("lstm-cell"))
    networks.gru_cell(image("gru-cell"))
    digits.digit_rows(image("digit-rows"))
    digits.unrolled(image("28-steps"), tuned)
    digits.guess(image("guess"), tuned)
    digits.hidden(image("hidden"), tuned)
    digits.weight_maps(image("weights"), run("start"), tuned)
    digits.gates(image("gates"), run("lstm"), "lstm")
    digits.gates(image("gates-gru"), run("gru"), "gru")
    curves.activations(image("relu-tanh"))
    curves.explodes(image("explodes"), run("explodes"), run("clipped"))
    curves.variants(
        image("variants"),
        [
            ("ReLU, one layer", run("sprint")),
            ("tanh, one layer", run("tanh")),
            ("ReLU, two layers", run("two")),
            ("LSTM", run("lstm")),
        ],
    )
    curves.gradients(
        image("gradient-times"),
        [
            ("clipped, step 500", run("clipped"), 500),
            ("clipped, step 3000", run("clipped"), 3000),
            ("step 2450: explodes", run("explodes"), 2450),
        ],
        "The gradient at each of 28 time steps, when training explodes",
        "Norm of the gradient of the loss at the hidden state of each time step. It grows on its way back to the first step.",
    )
    curves.adding_sample(image("adding-sample"), run("adding-tanh"))
    curves.adding(
        image("adding"), [("RNN, tanh", run("adding-tanh")), ("LSTM", run("adding-lstm")), ("GRU", run("adding-gru"))]
    )
    curves.gradients(
        image("gradient-adding"),
        [
            ("RNN, tanh, step 2000", run("adding-tanh"), 2000),
            ("LSTM, step 1000", run("adding-lstm"), 1000),
            ("LSTM, step 2000", run("adding-lstm"), 2000),
            ("GRU, step 2000", run("adding-gru"), 2000),
        ],
        "The gradient at each of 100 time steps, before and after a network has learned to remember",
        "Norm of the gradient of the loss at the hidden state of each time step, in the adding task. At training step 1000 the "
        "LSTM has not learned the task, and hardly any gradient reaches its first steps. At step 2000 it has.",
    )
    curves.gradients(
        image("gradient-long"),
        [
            ("RNN, tanh", run("long-tanh"), 1),
            ("RNN, ReLU, identity", run("long-identity"), 1),
            ("LSTM", run("long-lstm"), 1),
            ("LSTM, forget bias 5", run("long-lstm-5"), 1),
            ("GRU", run("long-gru"), 1),
        ],
        "The gradient at each of 200 time steps, before training",
        "Norm of the gradient of the loss at the hidden state of each time step. On its way back to the first step it "
        "vanishes in a plain tanh network, in an LSTM and in a GRU. It stays with a forget bias of 5, and in a ReLU network "
        "that starts from the identity.",
    )


main(*sys.argv[1:])
