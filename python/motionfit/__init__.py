"""Physically simulated human motion from recorded poses.

>>> import motionfit
>>> result = motionfit.reconstruct(motionfit.sample("walk"))
>>> result.save("out/walk")

Metres, seconds, kilograms, newtons and newton metres; z is up, x forward, y left; quaternions are [x, y, z, w].
"""

import io
import json
import os
import sys
import tempfile

import numpy as np

from . import _motionfit
from ._motionfit import Function, Minimum, Motion, __version__, functions, minimize, optimizers, sample

__all__ = [
    "Function",
    "Minimum",
    "Motion",
    "Result",
    "functions",
    "main",
    "minimize",
    "optimizers",
    "read",
    "reconstruct",
    "sample",
]


def read(
    path,
    *,
    fps=None,
    layout=None,
    up=None,
    units=None,
    smooth=None,
    stature=None,
    person=None,
    clip=None,
    markers=None,
    body_model=None,
    floor=None,
    start=None,
    end=None,
):
    """Reads recorded motion: .npy, .npz, .bvh, .trc, .c3d, or poses of SMPL.

    Arguments overrule what is detected: ``fps`` in Hz, ``layout`` ("h36m17", "coco17", ...), ``up`` ("z", "-y", ...),
    ``units`` ("m", "cm", "mm", ...), ``smooth`` ("auto", "on", "off"), ``stature`` in m, ``floor`` in m along the axis that
    points up, ``start`` and ``end`` in s.

    Of a file with several, ``person`` is the number of one (from 1: WHAM, PromptHMR), ``clip`` the name of one (PHC).
    ``markers`` says which markers of a .trc or .c3d stand for a joint: a dict ``{"right_knee": ["RKNE", "RKNM"], ...}``, of
    which the mean is taken, or the path of a JSON file that holds it. ``body_model`` is the path of your own model file of
    SMPL, SMPL+H or SMPL-X (.npz, .pkl), by which the shape (betas) in files of such poses counts.

    Returns a :class:`Motion`: ``joints`` (T, 17, 3) in m, z up, the floor at z = 0, ``fps`` in Hz; its ``notes`` say what was
    understood. Raises ``ValueError`` with what was found and what to do.
    """
    return _motionfit.read(
        os.fspath(path),
        fps=fps,
        layout=layout,
        up=up,
        units=units,
        smooth=smooth,
        stature=stature,
        person=person,
        clip=clip,
        body_model=None if body_model is None else os.fspath(body_model),
        floor=floor,
        start=start,
        end=end,
        **_markers(markers),
    )


def _markers(markers):
    """The arguments for markers by name, or by file."""
    if markers is None:
        return {}
    if isinstance(markers, (str, os.PathLike)):
        return {"markers": os.fspath(markers)}
    return {"marker_text": json.dumps(markers)}


def _motion(joints, fps, markers, body_model, **options):
    if isinstance(joints, Motion):
        given = {"fps": fps, "markers": markers, "body_model": body_model, **options}
        stray = [name for name in given if given[name] is not None and name not in ("stature", "floor")]
        if stray:
            raise ValueError(f"{stray[0]}: use: found a Motion; give it to read(), or give the file or the array itself")
        return joints
    if isinstance(joints, (str, os.PathLike)):
        return read(joints, fps=fps, markers=markers, body_model=body_model, **options)
    if body_model is not None:
        raise ValueError("body_model: use: found an array; leave it out: it is for poses of SMPL (.npz, .pkl, .pt)")
    array = np.asarray(joints)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "joints.npy")
        np.save(path, np.ascontiguousarray(array))
        fps = 50.0 if fps is None else float(fps)
        return _motionfit.read(path, fps=fps, origin="joints", **_markers(markers), **options)


def _show(done, total, error_mm):
    end = "\n" if done >= total else ""
    print(f"\r{done}/{total} frames, MPJPE-G {error_mm:.1f} mm", end=end, file=sys.stderr, flush=True)


def reconstruct(
    joints,
    fps=None,
    *,
    layout=None,
    up=None,
    units=None,
    smooth=None,
    person=None,
    clip=None,
    markers=None,
    body_model=None,
    floor=None,
    scene=None,
    mass=None,
    stature=None,
    sex=None,
    optimizer="lm-search",
    evaluations=None,
    seed=0,
    settings=None,
    threads=None,
    progress=None,
):
    """Turns recorded motion into physically simulated motion.

    ``joints``: an array (T, J, 3) of joint positions at ``fps`` frames per second (50 unless given), a :class:`Motion`, or
    the path of a file, of which ``fps`` overrules the rate. ``layout``, ``up``, ``units``, ``smooth``, ``person``, ``clip``,
    ``markers``, ``body_model`` and ``floor`` are those of :func:`read`, which a :class:`Motion` has behind it.

    ``scene``: what the body can touch beside the ground, a dict ``{"boxes": [{"center": [x, y, z], "half_extents":
    [x, y, z], "yaw": radians}, ...], "hulls": [{"points": [[x, y, z], ...]}, ...]}`` in m, z up, as the file has its motion, or
    the path of a JSON file that holds it or of a mesh (``.obj``, ``.glb``, ``.gltf``); the floor is at 0 then unless given.

    ``mass`` in kg and ``stature`` in m of the subject, ``sex`` "male" (unless given) or "female": whose distribution of mass
    it has; ``optimizer`` one of :func:`optimizers`, a ``.safetensors`` file, or
    ``"basin-NAME"``; ``evaluations`` that it may spend on a window; ``settings`` further fields of a configuration's
    ``reconstruction`` as a dict; ``threads``: all cores unless given, the result does not depend on it.
    ``progress``: ``True`` for a line on standard error, or a function of frames done, frames in all and the mean joint
    error so far in mm; it may raise to stop.

    Returns a :class:`Result`. Raises ``ValueError`` for input that cannot be used and ``KeyboardInterrupt`` on Ctrl-C.
    """
    if scene is not None and floor is None:
        floor = 0.0  # a scene and its motion have the same origin
    motion = _motion(
        joints,
        fps,
        markers,
        body_model,
        layout=layout,
        up=up,
        units=units,
        smooth=smooth,
        stature=stature,
        person=person,
        clip=clip,
        floor=floor,
    )
    chosen = dict(settings or {}, seed=seed)
    given = {"mass": mass, "stature": stature, "sex": sex, "evaluations": evaluations}
    chosen.update({name: value for name, value in given.items() if value is not None})
    show = _show if progress is True else progress or None
    path = os.fspath(scene) if isinstance(scene, (str, os.PathLike)) else None
    if scene is not None and path is None:
        chosen["scene"] = scene
    text = json.dumps({"reconstruction": chosen})
    return Result(_motionfit.reconstruct(motion, optimizer, text, threads, show, path))


class Result:
    """A simulated motion of T frames by a body of L links. All arrays are float64, in SI units, z up."""

    def __init__(self, found):
        self._found = found
        with np.load(io.BytesIO(found.to_npz())) as arrays:
            self.arrays = {name: arrays[name] for name in arrays.files}
        self.metrics = json.loads(found.metrics_json())

    @property
    def name(self):
        """Name of the clip."""
        return self._found.name

    @property
    def fps(self):
        """Frames per second."""
        return float(self.arrays["fps"])

    @property
    def joints(self):
        """Simulated joint positions, m, (T, 17, 3), in the order of Human3.6M."""
        return self.arrays["joints"]

    @property
    def observed(self):
        """Observed joint positions, m, (T, 17, 3)."""
        return self.arrays["reference_joints"]

    @property
    def link_names(self):
        """Names of the L links."""
        return self._found.link_names()

    @property
    def parents(self):
        """Index of the parent of every link, (L,); -1 for the root."""
        return self.arrays["parents"]

    @property
    def positions(self):
        """World position of every link's joint to its parent, m, (T, L, 3)."""
        return self.arrays["links"][..., :3]

    @property
    def rotations(self):
        """Rotation world <- link as quaternions [x, y, z, w], (T, L, 4)."""
        return self.arrays["links"][..., 3:]

    @property
    def torques(self):
        """Torque of the motor on every link from its parent, in the world's frame, N m, (T, L, 3)."""
        return self.arrays["torques"]

    @property
    def forces(self):
        """Force of the ground on the right and the left foot, N, (T, 2, 3)."""
        return self.arrays["contact_forces"]

    @property
    def contacts(self):
        """Whether the right and the left foot touch the ground, bool, (T, 2)."""
        return self.forces[..., 2] > 0

    @property
    def contact_points(self):
        """Centre of pressure of the right and the left foot, m, (T, 2, 3); NaN in the air."""
        return self.arrays["contact_points"]

    @property
    def losses(self):
        """(window, evaluation, loss) of every evaluation, (K, 3)."""
        return np.array(self._found.losses(), dtype=float).reshape(-1, 3)

    def save(self, out, force=False):
        """Writes the files of ``motionfit reconstruct`` into the directory ``out``; returns their names."""
        return self._found.save(os.fspath(out), force)

    def to_glb(self):
        """The animated body as a binary glTF 2.0 file, bytes."""
        return self._found.to_glb()

    def to_gif(self):
        """The motion beside the observed joints as an animated GIF, bytes."""
        return self._found.to_gif()

    def to_bvh(self):
        """The motion as a BVH file, str."""
        return self._found.to_bvh()

    def to_html(self):
        """The report that plays the motion in a browser, str."""
        return self._found.to_html()

    def __repr__(self):
        return repr(self._found)


def main():
    """The command ``motionfit``; returns its exit code."""
    return _motionfit.run_program(["motionfit", *sys.argv[1:]])
