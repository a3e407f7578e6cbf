#!/usr/bin/env python3
"""Times a whole training step in JAX: model, gradient, clipping and SGD in one jitted call.

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

from jax_models import model_of  # noqa: E402


def training_step(sizes):
    generator = np.random.default_rng(0)
    count = sizes.batches() * sizes.batch
    images = jnp.asarray(generator.random((count, sizes.steps, sizes.inputs), np.float32))
    labels = jnp.asarray(generator.integers(0, 10, count))
    batches = [jnp.asarray(batch)
               for batch in np.split(generator.permutation(count), sizes.batches())]
    weights, logits_of = model_of(sizes, generator)

    def loss_of(weights, x, y):
        return -jnp.mean(jax.nn.log_softmax(logits_of(weights, x))[jnp.arange(sizes.batch), y])

    def update(weights, images, labels, index):
        loss, gradients = jax.value_and_grad(loss_of)(weights, images[index], labels[index])
        norm = jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(gradients)))
        rate = 0.1 * jnp.minimum(1, 1 / (norm + 1e-6))
        return jax.tree.map(lambda w, g: w - rate * g, weights, gradients), loss

    jitted = jax.jit(update, donate_argnums=0)
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
