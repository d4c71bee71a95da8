"""Checks a body that motionfit has exported for MuJoCo against the run that it comes from.

    motionfit export out/walk --format mjcf --out walk.xml
    python tools/check_mjcf.py out/walk walk.xml

Needs mujoco and numpy. Checked are: that it loads; total mass and inertias; forward kinematics of every
frame (the sites) against the simulated joints; that the keyframes are the arrays; that qvel is the
derivative of qpos. With --fall FILE the body falls freely for a second without contact and control, from
the middle frame with its velocities, and the joints are written there, which tests/formats.rs compares with
motionfit's own engine.
"""

import argparse
import json
import sys

import mujoco
import numpy as np

TIMESTEP = 1e-4


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("run")
    parser.add_argument("model")
    parser.add_argument("--fall")
    args = parser.parse_args()
    model = mujoco.MjModel.from_xml_path(args.model)
    data = mujoco.MjData(model)
    motion = np.load(args.model.rsplit(".", 1)[0] + ".npz")
    joints = np.load(f"{args.run}/motion.npz")["joints"]
    with open(f"{args.run}/body.json") as file:
        body = json.load(file)
    links = body["links"]
    failures = []

    def check(what, found, limit, unit):
        print(f"{what}: {found:.3g} {unit} (at most {limit:g})")
        if not found <= limit:
            failures.append(what)

    mass = sum(link["mass"] for link in links)
    check("total mass", abs(model.body_subtreemass[0] - mass), 1e-9, "kg")
    worst = 0.0
    for link in links:
        worst = max(worst, np.abs(inertia(model.body(link["name"])) - np.diag(link["inertia"])).max())
    check("inertias", worst, 1e-9, "kg m2")
    sites = positions(model, data, motion["qpos"])
    apart = np.linalg.norm(sites - kinematics(args.run, body), axis=-1)
    check("forward kinematics against that of the links' rotations", 1e3 * apart.max(), 1e-6, "mm")
    # The engine leaves small gaps at the joints, which coordinates do not have.
    apart = np.linalg.norm(sites - joints, axis=-1)
    check("forward kinematics against the simulated joints", 1e3 * apart.max(), 1.0, "mm")
    print(f"the same, mean: {1e3 * apart.mean():.3g} mm")
    for name, keys in [("qpos", model.key_qpos), ("qvel", model.key_qvel), ("ctrl", model.key_ctrl)]:
        check(f"keyframes' {name}", np.abs(keys - motion[name]).max(), 1e-9, "")
    check("qvel against qpos", derivative_error(model, motion), 1e-6, "")
    if args.fall:
        fall(model, data, motion, args.fall)
    sys.exit(1 if failures else 0)


def inertia(body):
    """The inertia tensor of a body in its own axes."""
    rotation = np.zeros(9)
    mujoco.mju_quat2Mat(rotation, body.iquat)
    rotation = rotation.reshape(3, 3)
    return rotation @ np.diag(body.inertia) @ rotation.T


def positions(model, data, qpos):
    """The sites of every frame."""
    frames = []
    for row in qpos:
        data.qpos[:] = row
        mujoco.mj_kinematics(model, data)
        frames.append(data.site_xpos[order(model)].copy())
    return np.array(frames)


def kinematics(run, body):
    """The 17 joints of every frame by the rotations of motion.npz alone, computed here."""
    poses = np.load(f"{run}/motion.npz")["links"]
    rotations, places = [], []
    for index, link in enumerate(body["links"]):
        rotations.append(matrices(poses[:, index, 3:]))
        parent = link["parent"]
        if parent is None:
            places.append(poses[:, index, :3])
        else:
            places.append(places[parent] + rotations[parent] @ np.array(link["offset"]))
    markers = [(marker["link"], np.array(marker["position"])) for marker in body["markers"]]
    return np.stack([places[link] + rotations[link] @ at for link, at in markers], axis=1)


def matrices(quaternions):
    """Rotation matrices of x, y, z, w."""
    x, y, z, w = quaternions.T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), 2, 0)


def order(model):
    """The sites in the order of the 17 joints."""
    names = (
        "pelvis right_hip right_knee right_ankle left_hip left_knee left_ankle spine thorax neck head "
        "left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist"
    )
    return [model.site(name).id for name in names.split()]


def derivative_error(model, motion):
    """How far qvel is from MuJoCo's own central differences."""
    worst = 0.0
    for t in range(1, len(motion["qpos"]) - 1):
        qvel = np.zeros(model.nv)
        seconds = 2 / motion["fps"]
        mujoco.mj_differentiatePos(model, qvel, seconds, motion["qpos"][t - 1], motion["qpos"][t + 1])
        worst = max(worst, np.abs(qvel - motion["qvel"][t]).max())
    return worst


def fall(model, data, motion, path):
    model.opt.timestep = TIMESTEP
    model.opt.integrator = mujoco.mjtIntegrator.mjINT_RK4
    model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_ACTUATION)
    model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_CONTACT)
    middle = len(motion["qpos"]) // 2
    data.qpos[:] = motion["qpos"][middle]
    data.qvel[:] = motion["qvel"][middle]
    frames = []
    for step in range(round(1 / TIMESTEP) + 1):
        if step % round(0.1 / TIMESTEP) == 0:
            mujoco.mj_kinematics(model, data)
            frames.append(data.site_xpos[order(model)].tolist())
        mujoco.mj_step(model, data)
    with open(path, "w") as file:
        start = {"qpos": motion["qpos"][middle].tolist(), "qvel": motion["qvel"][middle].tolist()}
        names = [str(name) for name in motion["joint_names"]]
        json.dump({"names": names, "start": start, "seconds": 0.1, "joints": frames}, file)
        file.write("\n")


main()
