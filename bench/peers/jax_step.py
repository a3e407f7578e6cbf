#!/usr/bin/env python3
"""Times a whole training step in JAX: lax.scan, gradient, clipping and SGD in one jitted call.

    python3 jax_step.py --workload train/rnn_relu/t28_i28_h100_n100 --threads 2 --seconds 2
"""
import os

import timing

arguments = timing.read_arguments(__doc__)
# XLA has no setting for the number of its threads; it makes one for each core that it may use.
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:arguments.threads])
if arguments.threads == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402  (it reads the environment when it is loaded)
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402


def initial_weights(sizes, generator):
    """PyTorch's: uniform within 1 / sqrt(H)."""
    bound = 1 / np.sqrt(sizes.hidden)
    shapes = {"weight_ih": (sizes.inputs, sizes.hidden), "weight_hh": (sizes.hidden, sizes.hidden),
              "bias_ih": (sizes.hidden,), "bias_hh": (sizes.hidden,),
              "fc_weight": (sizes.hidden, 10), "fc_bias": (10,)}
    return {name: jnp.asarray(generator.uniform(-bound, bound, shape), jnp.float32)
            for name, shape in shapes.items()}


def training_step(sizes):
    if sizes.layers != 1:
        raise SystemExit(f"[workload] {sizes.layers} layers, expected 1: more are not written here")
    activation = {"relu": jax.nn.relu, "tanh": jnp.tanh}[sizes.nonlinearity]
    generator = np.random.default_rng(0)
    count = 20 * sizes.batch
    images = jnp.asarray(generator.random((count, sizes.steps, sizes.inputs), np.float32))
    labels = jnp.asarray(generator.integers(0, 10, count))
    batches = [jnp.asarray(batch) for batch in np.split(generator.permutation(count), 20)]

    def loss_of(weights, x, y):
        # The inputs' product for all time steps at once, outside the scan.
        z = jnp.swapaxes(x, 0, 1) @ weights["weight_ih"] + weights["bias_ih"] + weights["bias_hh"]

        def time_step(h, z_t):
            return activation(z_t + h @ weights["weight_hh"]), None

        h, _ = jax.lax.scan(time_step, jnp.zeros((sizes.batch, sizes.hidden)), z)
        logits = h @ weights["fc_weight"] + weights["fc_bias"]
        return -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(sizes.batch), y])

    def update(weights, images, labels, index):
        loss, gradients = jax.value_and_grad(loss_of)(weights, images[index], labels[index])
        norm = jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(gradients)))
        rate = 0.1 * jnp.minimum(1, 1 / (norm + 1e-6))
        return jax.tree.map(lambda w, g: w - rate * g, weights, gradients), loss

    jitted = jax.jit(update, donate_argnums=0)
    weights = initial_weights(sizes, generator)
    done = 0

    def step():
        nonlocal weights, done
        weights, loss = jitted(weights, images, labels, batches[done % len(batches)])
        done += 1
        jax.block_until_ready((weights, loss))
        return float(loss)

    return step


times = timing.measure(training_step(arguments.sizes), arguments.seconds)
timing.report(f"JAX {jax.__version__}", arguments, times)
