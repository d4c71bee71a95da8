"""Writes tests/golden/formats: small files in the layouts of programs that recover people from video.

    python tools/golden_formats.py

Needs numpy and joblib. The numbers are made up: a body that stands, walks on the spot and swings its arms.
gvhmr.pt is written here in the layout of torch.save (a zip archive of a pickle and of storages), without
torch.
"""

import io
import os
import pickle
import sys
import types
import zipfile

import joblib
import numpy as np

FRAMES = 24
FOLDER = "tests/golden/formats"


def poses(up):
    """Turns (T, 72) of a body that stands upright and swings, in a world with that axis up."""
    time = np.arange(FRAMES) / 30
    turns = np.zeros((FRAMES, 72))
    if up == "z":
        turns[:, 0] = np.pi / 2
    swing = 0.5 * np.sin(2 * np.pi * time)
    turns[:, 3] = turns[:, 3 * 17 + 1] = swing
    turns[:, 6] = turns[:, 3 * 16 + 1] = -swing
    turns[:, 3 * 16 + 2], turns[:, 3 * 17 + 2] = -1.2, 1.2
    return turns


def translation(up):
    way = np.zeros((FRAMES, 3))
    way[:, 2 if up == "z" else 1] = 1.15
    way[:, 0] = 0.01 * np.arange(FRAMES)
    return way


def float32(array):
    return np.ascontiguousarray(array, np.float32)


def wham():
    frames = np.concatenate([np.arange(10), np.arange(12, FRAMES + 2)])
    first = {
        "pose_world": float32(poses("y")),
        "trans_world": float32(translation("y")),
        "betas": np.zeros((FRAMES, 10), np.float32),
        "frame_ids": frames,
    }
    second = {**first, "trans_world": float32(translation("y") + [1, 0, 0])}
    joblib.dump({0: first, 3: second}, f"{FOLDER}/wham_output.pkl")


def prompt_hmr():
    person = {
        "smplx_world": {
            "pose": float32(np.pad(poses("y")[:, :66], ((0, 0), (0, 99)))),
            "shape": np.zeros((FRAMES, 10), np.float32),
            "trans": float32(translation("y")),
        },
        "frames": np.arange(FRAMES),
    }
    joblib.dump({"people": {1: person}, "camera": {"img_focal": 1000.0}}, f"{FOLDER}/prompthmr.pkl")


def phc():
    clip = {
        "pose_aa": poses("z"),
        "trans_orig": translation("z"),
        "root_trans_offset": translation("z") + [0, -0.24, 0.03],
        "beta": np.zeros(16),
        "gender": "neutral",
        "fps": 30,
    }
    joblib.dump({"walk_1": clip, "walk_2": clip}, f"{FOLDER}/phc.pkl", compress=3)


class Tensor:
    def __init__(self, array):
        self.array = float32(array)


def gvhmr():
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    class FloatStorage:
        pass

    def rebuild(*_):
        pass

    FloatStorage.__module__, FloatStorage.__qualname__ = "torch", "FloatStorage"
    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    torch.FloatStorage, utils._rebuild_tensor_v2, torch._utils = FloatStorage, rebuild, utils
    sys.modules.update({"torch": torch, "torch._utils": utils})
    storages = []

    class Storage:
        def __init__(self, key, count):
            self.key, self.count = key, count

    class Pickler(pickle.Pickler):
        def persistent_id(self, thing):
            if isinstance(thing, Storage):
                return ("storage", FloatStorage, thing.key, "cpu", thing.count)
            return None

        def reducer_override(self, thing):
            if not isinstance(thing, Tensor):
                return NotImplemented
            array = thing.array
            storage = Storage(str(len(storages)), array.size)
            storages.append(array.tobytes())
            strides = tuple(step // array.itemsize for step in array.strides)
            return rebuild, (storage, 0, array.shape, strides, False, {})

    parameters = {
        "body_pose": Tensor(poses("y")[:, 3:66]),
        "betas": Tensor(np.zeros((FRAMES, 10))),
        "global_orient": Tensor(poses("y")[:, :3]),
        "transl": Tensor(translation("y")),
    }
    index = io.BytesIO()
    Pickler(index, 2).dump({"smpl_params_global": parameters, "smpl_params_incam": parameters})
    with zipfile.ZipFile(f"{FOLDER}/hmr4d_results.pt", "w") as archive:
        archive.writestr("hmr4d_results/data.pkl", index.getvalue())
        archive.writestr("hmr4d_results/byteorder", "little")
        for key, storage in enumerate(storages):
            archive.writestr(f"hmr4d_results/data/{key}", storage)
        archive.writestr("hmr4d_results/version", "3\n")


os.makedirs(FOLDER, exist_ok=True)
wham()
prompt_hmr()
phc()
gvhmr()
