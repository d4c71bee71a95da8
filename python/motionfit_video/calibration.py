"""Cameras that somebody calibrated, as other programs write them, as cameras of ``motionfit``.

Pose2Sim and Anipose (``.toml``), Qualisys (``.qca.txt``), OpenCV and EasyMocap (``.yml``), OpenCap (``.pickle``), and
motionfit's own ``.json``.
"""

import json
import os
import pickle
import re
import reprlib
import xml.etree.ElementTree as xml

import cv2
import numpy as np

from .errors import VideoError
from .pickles import read_pickle

# Rows: the axes x, y, z of a z-up world in the axes of a file whose axis of that name points up.
Z_UP = {
    "x": [[0, 1, 0], [0, 0, 1], [1, 0, 0]],
    "y": [[0, 0, 1], [1, 0, 0], [0, 1, 0]],
    "z": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "-x": [[0, 1, 0], [0, 0, -1], [-1, 0, 0]],
    "-y": [[0, 0, 1], [-1, 0, 0], [0, -1, 0]],
    "-z": [[1, 0, 0], [0, -1, 0], [0, 0, -1]],
}
METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254}
FARTHEST = 50.0  # units from the world's origin: no camera in metres is so far away
OPENCAP = "cameraIntrinsicsExtrinsics.pickle"
# What a broken file makes its reader raise; cv2.FileStorage raises SystemError.
BROKEN = (LookupError, ValueError, TypeError, AttributeError, OverflowError, SystemError, RecursionError)
BROKEN += (xml.ParseError, cv2.error, pickle.UnpicklingError)
REMEDY = "calibrate again, or see docs/video.md for what a calibration holds"


def read_calibration(path, up=None):
    """The cameras of a file, a list of dicts as in motionfit's camera JSON, in metres, in a world with z up.

    ``up`` is the axis of the file's world that points up: z unless given (of OpenCap -y, or what a ``.json`` says).
    """
    path = os.fspath(path)
    if not os.path.exists(path):
        raise VideoError(f"{path}: no such file")
    try:
        cameras, usual = _read(path)
        if not cameras:
            raise VideoError(f"{path}: no camera in it: {REMEDY}")
        return [_z_up(camera, up or camera.get("up") or usual) for camera in cameras]
    except BROKEN as error:
        raise VideoError(f"{path}: not a complete calibration: {_said(error)}: {REMEDY}")


def _read(path):
    """The cameras of a file, and the axis that points up unless somebody says otherwise."""
    name = path.lower()
    if os.path.isdir(path):
        return _opencap_folder(path), "-y"
    if name.endswith((".pickle", ".pkl")):
        return [_opencap(path)], "-y"
    readers = {".toml": _toml, ".txt": _qualisys, ".yml": _opencv, ".yaml": _opencv, ".xml": _opencv, ".json": _json}
    reader = readers.get(os.path.splitext(name)[1])
    if reader is None:
        raise VideoError(f"{path}: not a calibration that is known: .toml, .qca.txt, .yml, .pickle or .json")
    return reader(path), "z"


def _said(error):
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    if isinstance(error, SystemError):
        return "not a file of OpenCV's FileStorage"
    return f"{error}".splitlines()[0] if f"{error}" else type(error).__name__


def _numbers(field, value, *shapes):
    """``value`` as an array of one of the ``shapes``, all of it finite."""
    try:
        array = np.asarray(value, float)
    except (TypeError, ValueError):
        array = np.array(np.nan)
    if array.shape not in shapes or not np.isfinite(array).all():
        wanted = " or ".join(" x ".join(map(str, shape)) for shape in shapes)
        raise ValueError(f"{field}: found {reprlib.repr(value)} where {wanted} numbers belong")
    return array


def _turn(value):
    """A rotation matrix from a rotation vector or a matrix."""
    turn = np.asarray(value, float) if np.size(value) in (3, 9) else value
    turn = _numbers("rotation", np.ravel(turn) if np.size(turn) == 3 else turn, (3,), (3, 3))
    if turn.shape == (3,):
        return cv2.Rodrigues(turn)[0]
    if np.abs(turn).max() > 1.01 or np.abs(turn @ turn.T - np.eye(3)).max() > 1e-3 or np.linalg.det(turn) < 0:
        raise ValueError(f"rotation: found {reprlib.repr(turn.tolist())}, which is no rotation")
    return turn


def _camera(name, size, matrix, distortions, turn, translation, units="m"):
    distortions = np.ravel(distortions)
    distortions = _numbers("distortions", distortions, distortions.shape)
    if np.any(distortions[5:]):
        raise ValueError(f"distortions: found {len(distortions)}: more than k1 k2 p1 p2 k3 are not read")
    matrix = _numbers("matrix", matrix, (3, 3))
    size = _numbers("size", np.ravel(size), (2,))
    if size.min() < 1 or matrix[0, 0] <= 0 or matrix[1, 1] <= 0:
        raise ValueError(f"size {size.tolist()}, focal lengths {matrix[0, 0]:g} and {matrix[1, 1]:g}: not positive")
    if units not in METRES:
        raise ValueError(f"units: found {reprlib.repr(units)}: they are one of {', '.join(METRES)}")
    return {
        "name": str(name),
        "size": size.tolist(),
        "matrix": matrix.tolist(),
        "distortions": [*distortions[:5], *[0.0] * (5 - len(distortions[:5]))],
        "rotation": _turn(turn).tolist(),
        "translation": (_numbers("translation", np.ravel(translation), (3,)) * METRES[units]).tolist(),
    }


def _z_up(camera, up):
    if up not in Z_UP:
        raise ValueError(f"up: found {reprlib.repr(up)}: it is one of {', '.join(Z_UP)}")
    turned = {key: value for key, value in camera.items() if key != "up"}
    return dict(turned, rotation=(np.array(camera["rotation"]) @ np.array(Z_UP[up], float).T).tolist())


def _json(path):
    """motionfit's own cameras, and the settings of AIST++ (cm, y up, recognized as ``motionfit`` does)."""
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    document = document["cameras"] if isinstance(document, dict) and "cameras" in document else document
    records = document if isinstance(document, list) else [document]
    for record in records:
        if not isinstance(record, dict):
            raise ValueError(f"cameras: found {reprlib.repr(record)} where a camera belongs")
    return [_own(record, f"camera{k}") for k, record in enumerate(records)]


def _own(record, name):
    if record.get("h36m_radial"):
        raise ValueError("h36m_radial: not read for videos: give distortions")
    size = _numbers("size", record["size"], (2,))
    matrix = record.get("matrix")
    if matrix is None:
        (fx, fy), (cx, cy) = (_numbers(k, record.get(k, size / 2), (2,)) for k in ("focal", "center"))
        if "focal" not in record:
            raise KeyError("matrix or focal")
        matrix = [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]
    if "orientation_wxyz" in record:
        turn = _of_quaternion(_numbers("orientation_wxyz", record["orientation_wxyz"], (4,))).T
    else:
        turn = record["rotation"]
    if "position" in record:
        translation = -_turn(turn) @ _numbers("position", record["position"], (3,))
    else:
        translation = _numbers("translation", record["translation"], (3,))
    far = np.size(turn) == 3 and "distortions" in record and np.linalg.norm(translation) > FARTHEST
    units = record.get("units", "cm" if far else "m")
    camera = _camera(record.get("name", name), size, matrix, record.get("distortions") or [], turn, translation, units)
    return dict(camera, up=record.get("up", "y" if far else "z"))


def _of_quaternion(q):
    w, x, y, z = q / np.linalg.norm(q)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + 2 * w * cross + 2 * cross @ cross


def _opencap(path):
    """OpenCap's camera, mm, size as height and width; the world hangs on a checkerboard, y down if it is upright on a wall."""
    found = read_pickle(path)
    if not isinstance(found, dict):
        raise ValueError(f"found {reprlib.repr(found)} where a table with intrinsicMat belongs")
    size = _numbers("imageSize", np.ravel(found["imageSize"]), (2,))[::-1]
    name = os.path.basename(os.path.dirname(os.path.abspath(path)))
    pose = found["rotation"], found["translation"]
    return _camera(name, size, found["intrinsicMat"], found["distortion"], *pose, "mm")


def _opencap_folder(folder):
    """OpenCap's folder Videos: Cam0, Cam1, ..., each with its pickle."""
    names = [name for name in os.listdir(folder) if os.path.isfile(os.path.join(folder, name, OPENCAP))]
    if not names:
        raise VideoError(f"{folder}: a folder without Cam*/{OPENCAP}: give a calibration file, or OpenCap's folder Videos")
    names.sort(key=lambda name: [int(n) for n in re.findall(r"\d+", name)] or [0])
    return [_opencap(os.path.join(folder, name, OPENCAP)) for name in names]


def _toml(path):
    """Pose2Sim (m) and Anipose, Caliscope (mm where translations say so): a table a camera, with a rotation vector."""
    try:
        import tomllib
    except ImportError:
        import tomli as tomllib
    with open(path, "rb") as file:
        tables = tomllib.load(file)
    cameras = []
    for key, table in tables.items():
        if key == "metadata" or not isinstance(table, dict) or "matrix" not in table:
            continue
        if table.get("fisheye"):
            raise VideoError(f"{path}: camera {key} is a fisheye: undistort its video first")
        far = np.abs(_numbers("translation", np.ravel(table["translation"]), (3,))).max() > FARTHEST
        cameras.append(
            _camera(
                table.get("name", key),
                table["size"],
                table["matrix"],
                table.get("distortions", []),
                table["rotation"],
                table["translation"],
                "mm" if far else "m",
            )
        )
    return cameras


def _qualisys(path):
    """Qualisys: 64ths of a pixel, mm, rotation of an OpenGL camera (y up, looking along -z) from the world, row by row."""
    cameras = []
    for tag in xml.parse(path).getroot().iter("camera"):
        video, inner, outer = tag.find("fov_video"), tag.find("intrinsic"), tag.find("transform")
        number = lambda element, key: float(element.get(key))
        left, top = number(video, "left"), number(video, "top")
        size = (number(video, "right") - left + 1, number(video, "bottom") - top + 1)
        fu, fv, cu, cv = (
            number(inner, key) / 64 for key in ("focalLengthU", "focalLengthV", "centerPointU", "centerPointV")
        )
        names = ("radialDistortion1", "radialDistortion2", "tangentalDistortion1", "tangentalDistortion2")
        distortions = [number(inner, key) / 64 for key in names]
        turn = np.diag([1.0, -1, -1]) @ [[number(outer, f"r{i}{j}") for j in (1, 2, 3)] for i in (1, 2, 3)]
        position = np.array([number(outer, axis) for axis in "xyz"]) / 1000
        matrix = [[fu, 0, cu - left], [0, fv, cv - top], [0, 0, 1]]
        cameras.append(_camera(tag.get("serial"), size, matrix, distortions, turn, -turn @ position))
    return sorted(cameras, key=lambda camera: camera["name"])


def _opencv(path):
    """OpenCV's FileStorage: one camera, or EasyMocap's pair intri.yml and extri.yml."""
    folder, base = os.path.split(os.fspath(path))
    if base in ("intri.yml", "extri.yml"):
        return _easymocap(*(os.path.join(folder, name) for name in ("intri.yml", "extri.yml")))
    storage = cv2.FileStorage(os.fspath(path), cv2.FILE_STORAGE_READ)

    def first(*names):
        nodes = [storage.getNode(name) for name in names]
        return next((n.mat() if n.isMap() else n.real() for n in nodes if not n.empty()), None)

    matrix = first("camera_matrix", "cameraMatrix", "K", "M")
    turn, translation = first("rvec", "R", "rotation"), first("tvec", "T", "translation")
    size = first("image_width"), first("image_height")
    missing = [
        name
        for name, value in [
            ("camera_matrix", matrix), ("rvec", turn), ("tvec", translation), ("image_width", size[0]), ("image_height", size[1])
        ]
        if value is None
    ]
    if missing:
        raise VideoError(f"{path}: {', '.join(missing)} missing")
    distortions = first("distortion_coefficients", "distCoeffs", "dist", "D")
    name = os.path.splitext(base)[0]
    return [_camera(name, size, matrix, [] if distortions is None else distortions, turn, translation)]


def _easymocap(inner, outer):
    inner, outer = (cv2.FileStorage(path, cv2.FILE_STORAGE_READ) for path in (inner, outer))
    names = outer.getNode("names")
    cameras = []
    for name in (names.at(i).string() for i in range(names.size())):
        matrix = inner.getNode(f"K_{name}").mat()
        distortions = inner.getNode(f"dist_{name}").mat()
        width, height = inner.getNode(f"W_{name}"), inner.getNode(f"H_{name}")
        size = (matrix[0, 2] * 2, matrix[1, 2] * 2) if width.empty() else (width.real(), height.real())
        turn, translation = outer.getNode(f"R_{name}").mat(), outer.getNode(f"T_{name}").mat()
        cameras.append(_camera(name, size, matrix, distortions, turn, translation))
    return cameras


def match(cameras, paths):
    """The camera of each clip: by name, or in the order of the file where no name fits."""
    stems = [os.path.splitext(os.path.basename(path))[0].lower() for path in paths]
    names = [str(camera.get("name", "")).lower() for camera in cameras]
    found = []
    for stem in stems:
        fits = [i for i, name in enumerate(names) if name and (name == stem or name in stem or stem in name)]
        exact = [i for i in fits if names[i] == stem]
        found.append((exact or fits)[0] if len(exact or fits) == 1 else None)
    if None not in found and len(set(found)) == len(found):
        return [cameras[i] for i in found]
    if len(cameras) != len(paths):
        raise VideoError(
            f"{len(paths)} clips, {len(cameras)} cameras ({', '.join(names)}): name the clips as their cameras"
        )
    return cameras


def check_size(camera, clip):
    """Refuses a calibration of another picture; scales one of another resolution."""
    width, height = camera["size"]
    across = clip.size[0] / width, clip.size[1] / height
    if abs(across[0] / across[1] - 1) > 0.02:
        raise VideoError(
            f"{clip.path}: {clip.size[0]} x {clip.size[1]} px, but its calibration is for {width:g} x {height:g}: turned or cut?"
        )
    if abs(across[0] - 1) < 0.02 or "matrix" not in camera:
        return camera
    matrix = np.diag([across[0], across[1], 1]) @ np.array(camera["matrix"])
    return dict(camera, size=list(map(float, clip.size)), matrix=matrix.tolist())
