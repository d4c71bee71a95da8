"""Microseconds that a step of the Adafactor MLP takes in JAX, on the cores it is given.

usage: taskset -c 0 python tools/jax_step_time.py [GOLDEN.json]          (needs numpy and jax)

The optimizer alone: accumulators, features, network and step from a given gradient, in single
precision, compiled, one blocking call a step. With recorded steps of the original as an argument it
first repeats those. `cargo bench --bench optimizer_step` prints the times of this program; run both
in the same state of the machine.
"""

import json
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

DECAYS = jnp.array([0.9, 0.99, 0.999])
TIMES = jnp.array([1, 3, 10, 30, 100, 300, 1e3, 3e3, 1e4, 3e4, 1e5])


def decays(theta, name, start):
    return 1 - jnp.exp(10 * (jnp.log(1 - start) / 10 + theta[name]))


def make_step(exp_mult, step_mult, rms_start):
    @jax.jit
    def step(theta, state, x, g):
        m, r, v, k = state
        b = decays(theta, "momentum_decays", DECAYS)
        m = b * m + (1 - b) * g[:, None]
        b = jnp.clip(decays(theta, "rms_decays", rms_start), 0, 1)
        r = b * r + (1 - b) * g[:, None] ** 2
        b = jnp.clip(decays(theta, "adafactor_decays", DECAYS), 0, 1)
        v = b * v + (1 - b) * (g[:, None] ** 2 + 1e-30)
        rsqrt = jax.lax.rsqrt
        columns = [g[:, None], x[:, None], m, r, m * rsqrt(r + 1e-6), rsqrt(r + 1e-6)]
        columns += [g[:, None] * rsqrt(jnp.maximum(v + 1e-9, 1e-9)), v, v]
        columns += [rsqrt(v + 1e-8), rsqrt(v + 1e-8), m * (v + 1e-6) ** -0.5]
        features = jnp.concatenate(columns, axis=1)
        features *= rsqrt(1e-5 + jnp.mean(features**2, axis=0))
        times = jnp.broadcast_to(jnp.tanh(k / TIMES - 1), (len(x), len(TIMES)))
        y = jnp.concatenate([features, times], axis=1)
        layers = len([name for name in theta if "/w" in name])
        for i in range(layers):
            y = y @ theta[f"nn/~/w{i}"] + theta[f"nn/~/b{i}"]
            y = jax.nn.relu(y) if i < layers - 1 else y
        x = x - y[:, 0] * jnp.exp(y[:, 1] * exp_mult) * step_mult
        return x, (m, r, v, k + 1)

    return step


def initial_state(n, rms):
    return jnp.zeros((n, 3)), jnp.zeros((n, rms)), jnp.zeros((n, 3)), 0.0


def repeat_recorded(path):
    for name, case in json.load(open(path)).items():
        theta = {k: jnp.array(v, dtype=jnp.float32) for k, v in case["theta"].items()}
        start = jnp.array(case["rms_decays"])
        step = make_step(case["exp_mult"], case["step_mult"], start)
        state = initial_state(len(case["steps"][0]["x"]), len(start))
        worst = 0.0
        for recorded in case["steps"]:
            x = jnp.array(recorded["x"], dtype=jnp.float32)
            g = jnp.array(recorded["g"], dtype=jnp.float32)
            x, state = step(theta, state, x, g)
            worst = max(worst, float(np.max(np.abs(x - np.array(recorded["x_next"])))))
        print(f"{name}: largest difference from the recorded steps {worst:.1e}")


def random_theta(width, layers, rng):
    sizes = [43] + [width] * layers + [2]
    theta = {f"{kind}_decays": jnp.zeros(3) for kind in ("momentum", "rms", "adafactor")}
    for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        weights = rng.normal(size=(inputs, outputs)) / np.sqrt(inputs)
        theta[f"nn/~/w{i}"] = jnp.array(weights, dtype=jnp.float32)
        theta[f"nn/~/b{i}"] = jnp.zeros(outputs)
    return theta


def microseconds(step, theta, n, rng):
    x, g = (jnp.array(rng.normal(size=n), dtype=jnp.float32) for _ in range(2))
    state = initial_state(n, 3)
    medians = []
    for _ in range(7):
        times = []
        for _ in range(60):
            begin = time.perf_counter()
            x, state = step(theta, state, x, g)
            x.block_until_ready()
            times.append(1e6 * (time.perf_counter() - begin))
        medians.append(np.median(times))
    return min(medians)


def main():
    if len(sys.argv) > 1:
        repeat_recorded(sys.argv[1])
    rng = np.random.default_rng(0)
    step = make_step(0.1, 0.1, DECAYS)
    for width, layers in ((128, 2), (512, 4)):
        theta = random_theta(width, layers, rng)
        for n in (2, 10, 100, 250, 1000):
            took = microseconds(step, theta, n, rng)
            print(f"{width} x {layers}  N = {n:4}: {took:8.1f} µs")


if __name__ == "__main__":
    main()
