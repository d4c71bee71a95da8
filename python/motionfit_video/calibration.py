"""Cameras that somebody calibrated, as other programs write them, as cameras of ``motionfit``.

Pose2Sim and Anipose (``.toml``), Qualisys (``.qca.txt``), OpenCV and EasyMocap (``.yml``), and motionfit's own ``.json``.
"""

import json
import os
import xml.etree.ElementTree as xml

import cv2
import numpy as np

from .errors import VideoError


def read_calibration(path, up="z"):
    """The cameras of a file, a list of dicts as in motionfit's camera JSON; ``up`` is the world's axis that points up."""
    name = os.fspath(path).lower()
    if not os.path.isfile(path):
        raise VideoError(f"{path}: no such file")
    try:
        if name.endswith(".toml"):
            cameras = _toml(path)
        elif name.endswith(".txt"):
            cameras = _qualisys(path)
        elif name.endswith((".yml", ".yaml", ".xml")):
            cameras = _opencv(path)
        elif name.endswith(".json"):
            with open(path, encoding="utf-8") as file:
                document = json.load(file)
            return document["cameras"] if isinstance(document, dict) and "cameras" in document else _list(document)
        else:
            raise VideoError(f"{path}: not a calibration that is known: .toml, .qca.txt, .yml or .json")
    except (KeyError, ValueError, TypeError, AttributeError, xml.ParseError, cv2.error) as error:
        raise VideoError(f"{path}: not a complete calibration: {type(error).__name__} {error}")
    if not cameras:
        raise VideoError(f"{path}: no camera in it")
    return [dict(camera, up=up) for camera in cameras]


def _list(document):
    return document if isinstance(document, list) else [document]


def _camera(name, size, matrix, distortions, turn, translation, units="m"):
    turn = np.asarray(turn, float)
    turn = cv2.Rodrigues(turn.reshape(3, 1))[0] if turn.size == 3 else turn.reshape(3, 3)
    matrix = np.asarray(matrix, float).reshape(3, 3)
    distortions = (list(np.ravel(distortions).astype(float)) + [0.0] * 5)[:5]
    return {
        "name": str(name),
        "size": [float(s) for s in size],
        "matrix": matrix.tolist(),
        "distortions": distortions,
        "rotation": turn.tolist(),
        "translation": np.ravel(translation).astype(float).tolist(),
        "units": units,
    }


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
        far = np.abs(table["translation"]).max() > 50
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
