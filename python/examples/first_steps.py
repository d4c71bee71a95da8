"""From joint positions to forces: run it, or read it cell by cell in an editor that knows `# %%`."""

# %% The sample is an array (frames, joints, 3) in metres; your own may have other units and axes.
import sys

import numpy as np

import motionfit

walk = motionfit.sample("walk")
print(walk, walk.joints.shape)

# %% Reconstruct the first second.
result = motionfit.reconstruct(walk.joints[:50], fps=50, mass=70.0, progress=True)
print(result, {name: result.metrics[name] for name in ("mpjpe_global_mm", "foot_skate_percent")})

# %% Forces of the ground over body weight: about 1 in the mean.
weight = 70.0 * 9.80665
print("ground reaction / weight:", np.round(result.forces[..., 2].sum(axis=1).mean() / weight, 2))

# %% The largest torque of every joint, N m.
largest = np.linalg.norm(result.torques, axis=-1).max(axis=0)
for name, torque in zip(result.link_names, largest):
    print(f"{name:16} {torque:7.1f}")

# %% Everything that the command writes: open report.html in a browser.
print(result.save(sys.argv[1] if len(sys.argv) > 1 else "out/first-steps", force=True))

# %% Optimizers work on any function that gives value and gradient.
print(motionfit.minimize(lambda x: (float(x @ x), 2 * x), [3.0, -2.0], "bfgs"))
