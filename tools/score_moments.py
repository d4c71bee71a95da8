#!/usr/bin/env python3
"""Joint moments of runs against those of inverse dynamics with force plates.

    python3 tools/score_moments.py RUNS TRIALS

RUNS holds a directory NAME for each run (`motionfit reconstruct NAME.npy --mass M --out RUNS/NAME`), TRIALS for each
trial `NAME.json` (`fps`, `mass_kg`, `category`) and `NAME_grf.npz` with `joint_moment_names` (K,) like
`knee_extension_r` and `joint_moments` (T, K), N·m at the motion's frames, extension and plantarflexion positive, NaN
where they are not known. Prints for hip, knee and ankle the means over the trials of a category of the root mean square
error, the mean error (both N·m/kg) and Pearson's correlation.
"""

import json
import sys
from pathlib import Path

import numpy as np

JOINTS = {"hip_extension": ("hip", "flexion"), "knee_extension": ("knee", "flexion"),
          "ankle_plantarflexion": ("ankle", "dorsiflexion")}
SIDES = {"r": "right", "l": "left"}


def anatomy(run):
    """(joint, movement) → place in `joint_moments`."""
    links = json.loads((run / "body.json").read_text())["links"]
    joints = [link["anatomy"] for link in links if link.get("anatomy")]
    return {(joint["joint"], movement["name"]): (j, axis) for j, joint in enumerate(joints)
            for axis, movement in enumerate(joint["movements"])}


def errors(run, trial, facts):
    """Joint → (RMSE, mean error, correlation) of both sides."""
    measured = np.load(trial)
    if "joint_moments" not in measured:
        return {}
    arrays, places = np.load(run / "motion.npz"), anatomy(run)
    fps = float(arrays["fps"])
    # A frame's moments are means over the interval that ends there.
    middle = (np.arange(len(arrays["joint_moments"])) - 0.5) / fps
    times = np.arange(len(measured["joint_moments"])) / facts["fps"]
    found = {}
    for k, name in enumerate(measured["joint_moment_names"]):
        movement, _, side = str(name).rpartition("_")
        joint, turn = JOINTS[movement]
        j, axis = places[f"{SIDES[side]}_{joint}", turn]
        known = np.isfinite(measured["joint_moments"][:, k])
        if known.sum() < 5:
            continue
        theirs = np.interp(middle, times[known], measured["joint_moments"][known, k])
        counts = (np.interp(middle, times, known.astype(float)) > 0.99) & (middle > 0)
        ours = -arrays["joint_moments"][counts, j, axis]
        apart = (ours - theirs[counts]) / facts["mass_kg"]
        likeness = np.corrcoef(ours, theirs[counts])[0, 1]
        row = (np.sqrt(np.mean(apart**2)), apart.mean(), likeness)
        found.setdefault(joint, []).append(row)
    return {joint: np.mean(rows, axis=0) for joint, rows in found.items()}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    runs, trials = map(Path, sys.argv[1:])
    by_category = {}
    for trial in sorted(trials.glob("*_grf.npz")):
        name = trial.name.removesuffix("_grf.npz")
        if not (runs / name / "motion.npz").exists():
            continue
        facts = json.loads((trials / f"{name}.json").read_text())
        found = errors(runs / name, trial, facts)
        if found:
            by_category.setdefault(facts["category"], []).append(found)
    if not by_category:
        sys.exit(f"{runs}: no run of a trial of {trials} with joint moments")
    for category, found in by_category.items():
        print(f"{category}, {len(found)} trials")
        for joint in ("hip", "knee", "ankle"):
            rmse, mean, likeness = np.mean([of[joint] for of in found if joint in of], axis=0)
            print(f"  {joint:5}  RMSE {rmse:.3f}  mean error {mean:+.3f} N·m/kg  r {likeness:.3f}")


if __name__ == "__main__":
    main()
