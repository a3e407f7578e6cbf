"""The models that jax_step.py trains: weights, and logits of a batch."""
import jax
import jax.numpy as jnp
import numpy as np

GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def uniform(generator, fan_in, shapes):
    """PyTorch's initial values: uniform within 1 / sqrt(fan_in)."""
    bound = 1 / np.sqrt(fan_in)
    return {name: jnp.asarray(generator.uniform(-bound, bound, shape), jnp.float32)
            for name, shape in shapes.items()}


def recurrent_weights(sizes, generator):
    columns = GATES[sizes.model] * sizes.hidden
    return uniform(generator, sizes.hidden, {
        "weight_ih": (sizes.inputs, columns), "weight_hh": (sizes.hidden, columns),
        "bias_ih": (columns,), "bias_hh": (columns,),
        "fc_weight": (sizes.hidden, 10), "fc_bias": (10,)})


def rnn_step(activation):
    return lambda weights, h, z: activation(z + h @ weights["weight_hh"])


def lstm_step(weights, state, z):
    h, c = state
    i, f, g, o = jnp.split(z + h @ weights["weight_hh"], 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def gru_step(weights, h, z):
    r_x, z_x, n_x = jnp.split(z, 3, axis=-1)
    r_h, z_h, n_h = jnp.split(h @ weights["weight_hh"] + weights["bias_hh"], 3, axis=-1)
    update = jax.nn.sigmoid(z_x + z_h)
    return (1 - update) * jnp.tanh(n_x + jax.nn.sigmoid(r_x + r_h) * n_h) + update * h


def recurrent_logits(sizes):
    if sizes.layers != 1 or sizes.bidirectional or sizes.ragged:
        raise SystemExit("[workload] expected one layer, one direction and equal lengths: others "
                         "are not written here")
    zeros = jnp.zeros((sizes.batch, sizes.hidden))
    start = (zeros, zeros) if sizes.model == "lstm" else zeros
    step = {"lstm": lstm_step, "gru": gru_step,
            "rnn": rnn_step(jax.nn.relu if sizes.nonlinearity == "relu" else jnp.tanh)}[sizes.model]

    def logits(weights, x):
        # The inputs' product for all time steps at once, outside the scan.
        z = jnp.swapaxes(x, 0, 1) @ weights["weight_ih"] + weights["bias_ih"]
        if sizes.model != "gru":  # whose reset gate multiplies the other bias
            z += weights["bias_hh"]
        end, _ = jax.lax.scan(lambda state, z_t: (step(weights, state, z_t), None), start, z)
        h = end[0] if sizes.model == "lstm" else end
        return h @ weights["fc_weight"] + weights["fc_bias"]

    return logits


def channels_of(sizes):
    return [1, *(sizes.hidden << i for i in range(sizes.layers))]


def cnn_weights(sizes, generator):
    weights = {}
    channels = channels_of(sizes)
    for i, (before, after) in enumerate(zip(channels, channels[1:])):
        weights |= uniform(generator, 25 * before, {f"cnn{i}_weight": (5, 5, before, after),
                                                    f"cnn{i}_bias": (after,)})
    size = channels[-1] * (sizes.steps >> sizes.layers) * (sizes.inputs >> sizes.layers)
    return weights | uniform(generator, size, {"fc_weight": (size, 10), "fc_bias": (10,)})


def cnn_logits(sizes):
    """Channels last, as XLA's convolutions on the CPU want them."""
    def logits(weights, x):
        x = x[..., None]
        for i in range(sizes.layers):
            x = jax.lax.conv_general_dilated(x, weights[f"cnn{i}_weight"], (1, 1), "SAME",
                                             dimension_numbers=("NHWC", "HWIO", "NHWC"))
            x = jax.nn.relu(x + weights[f"cnn{i}_bias"])
            x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        return x.reshape(x.shape[0], -1) @ weights["fc_weight"] + weights["fc_bias"]

    return logits


def model_of(sizes, generator):
    """(initial weights, the function from weights and inputs to logits)"""
    if sizes.model == "cnn":
        return cnn_weights(sizes, generator), cnn_logits(sizes)
    return recurrent_weights(sizes, generator), recurrent_logits(sizes)
