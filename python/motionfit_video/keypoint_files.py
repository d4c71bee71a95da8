"""Keypoints that another detector wrote and laid beside the video: OpenPose, MMPose (RTMPose), AlphaPose, ViTPose."""

import json
import os
import re
import reprlib

import numpy as np

from .errors import VideoError
from .layouts import COUNTS
from .people import Follower, Person

REMEDY = "write it again, or move it away and MediaPipe looks for the person"
HALPE136, HALPE26 = 136, 26  # the first 26 keypoints of Halpe-136 are Halpe-26
MOST_FRAMES = 1_000_000
COCO17 = (
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow left_wrist "
    "right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle"
).split()


class Files:
    """The people in a folder of OpenPose or in one JSON of MMPose, AlphaPose or ViTPose."""

    quick = True  # not worth a cache

    def __init__(self, path):
        self.path, self.name, self.layout = path, f"files of {os.path.basename(path)}", None

    def detect(self, clip, progress):
        frames = _openpose(self.path) if os.path.isdir(self.path) else _read(self.path)
        frames = [frames[n] if n < len(frames) else {} for n in clip.frames]
        counts = sorted({len(keypoints) for frame in frames for keypoints in frame.values()})
        if not counts:
            return []
        if len(counts) > 1 or counts[0] not in COUNTS:
            known = ", ".join(f"{count} ({layout})" for count, layout in sorted(COUNTS.items()))
            found = " and ".join(map(str, counts))
            raise VideoError(f"{self.path}: keypoints of a person: found {found} of them: these are read: {known}")
        self.layout = COUNTS[counts[0]]
        people = {}
        for t, frame in enumerate(frames):
            for who, keypoints in frame.items():
                if who not in people:
                    people[who] = np.full((len(frames), counts[0], 3), np.nan)
                    people[who][..., 2] = 0.0
                people[who][t] = keypoints
        progress(len(frames), len(frames))
        return sorted((Person(k) for k in people.values()), key=lambda p: -p.seen().sum())


def beside(path):
    """The keypoints that lie beside the video ``path``, or None; see ``docs/video.md`` for the names."""
    stem = os.path.splitext(path)[0]
    for folder in (stem + "_json", stem):
        if os.path.isdir(folder):
            names = os.listdir(folder)
            if any(name.endswith("_keypoints.json") for name in names):
                return folder
            if "alphapose-results.json" in names:
                return os.path.join(folder, "alphapose-results.json")
    if os.path.isfile(stem + ".json") and _form(_load(stem + ".json")):
        return stem + ".json"
    return None


def _refuse(path, field, found):
    raise VideoError(f"{path}: {field}: found {reprlib.repr(found)}: {REMEDY}")


def _load(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (ValueError, RecursionError) as error:
        with open(path, "rb") as file:
            start = file.read(12)
        raise VideoError(f"{path}: not JSON ({error}): found {start!r} at its start: {REMEDY}")


def _form(document):
    """Which program wrote it: the function that reads it, or None."""
    if isinstance(document, dict):
        if "instance_info" in document:
            return lambda path, document: _mmpose(path, document["instance_info"])
        return _easy_vitpose if "keypoints" in document else None
    first = document[0] if isinstance(document, list) and document else None
    if isinstance(first, dict):
        return _mmpose if "instances" in first else _results if "image_id" in first else None
    return None


def _read(path):
    """Of each frame the keypoints (J, 3) of the people by number."""
    document = _load(path)
    reader = _form(document)
    if reader is None:
        _refuse(path, "no instances, image_id or keypoints", document)
    return reader(path, document)


def _number(name):
    numbers = re.findall(r"\d+", str(name))
    return int(numbers[-1]) if numbers else 0


def _list(path, field, value, kind=dict):
    if not isinstance(value, list) or not all(isinstance(item, kind) for item in value):
        _refuse(path, field, value)
    return value


def _points(path, field, values):
    """Keypoints (J, 3) of numbers x, y, confidence one after the other, or of rows of them."""
    try:
        points = np.array(values, float)
    except (TypeError, ValueError):
        _refuse(path, field, values)
    if points.ndim not in (1, 2) or points.size % 3 or (points.ndim == 2 and points.shape[1] != 3):
        _refuse(path, f"{field}, triples of x, y and confidence", values)
    points = points.reshape(-1, 3)
    points[~np.isfinite(points).all(axis=1)] = 0.0
    return points[:HALPE26] if len(points) == HALPE136 else points


def _openpose(folder):
    names = sorted((n for n in os.listdir(folder) if n.endswith(".json")), key=lambda n: (_number(n), n))
    frames, follow = [], Follower()
    for name in names:
        path = os.path.join(folder, name)
        document = _load(path)
        if not isinstance(document, dict) or "people" not in document:
            _refuse(path, "no field people", document)
        people = [
            _points(path, f"people[{i}].pose_keypoints_2d", person.get("pose_keypoints_2d"))
            for i, person in enumerate(_list(path, "people", document["people"]))
        ]
        frames.append(follow([points for points in people if len(points)]))
    return frames


def _mmpose(path, records):
    frames, follow = [], Follower()
    for t, record in enumerate(_list(path, "instance_info", records)):
        people, rows = _list(path, f"[{t}].instances", record.get("instances")), []
        for i, person in enumerate(people):
            field = f"[{t}].instances[{i}]"
            xy, scores = person.get("keypoints"), person.get("keypoint_scores")
            try:
                xy = np.array(xy, float).reshape(-1, 2)
                scores = np.ones(len(xy)) if scores is None else np.array(scores, float).reshape(len(xy))
            except (TypeError, ValueError):
                _refuse(path, f"{field}.keypoints, .keypoint_scores", (xy, scores))
            rows.append((person.get("track_id"), _points(path, field, np.column_stack([xy, scores]))))
        frames.append(_told_apart(follow, rows))
    return frames


def _results(path, records):
    """AlphaPose's and COCO's results: a flat list of people, each with the ``image_id`` of its frame."""
    found = {}
    for k, record in enumerate(_list(path, "results", records)):
        if "image_id" not in record:
            _refuse(path, f"[{k}].image_id", record)
        t = _number(record["image_id"])
        if t > MOST_FRAMES:
            _refuse(path, f"[{k}].image_id, the number of a frame", record["image_id"])
        points = _points(path, f"[{k}].keypoints", record.get("keypoints"))
        found.setdefault(t, []).append((record.get("idx", record.get("track_id")), points))
    follow = Follower()
    return [_told_apart(follow, found.get(t, [])) for t in range(max(found, default=-1) + 1)]


def _told_apart(follow, people):
    """The people (number, keypoints) of a frame by number, or by where they were in the frames before."""
    numbers = {who for who, _ in people if isinstance(who, int)}
    if people and len(numbers) == len(people):
        return dict(people)
    return follow([points for _, points in people])


def _easy_vitpose(path, document):
    """easy_ViTPose: of each frame a table from the person's number to rows of y, x, score; the names in ``skeleton``."""
    names = document.get("skeleton") or {}
    if not isinstance(names, dict) or not all(str(key).isdigit() for key in names):
        _refuse(path, "skeleton, names by number", names)
    numbers = {str(name): int(key) for key, name in names.items()}
    frames = []
    for t, frame in enumerate(_list(path, "keypoints", document["keypoints"])):
        rows = {}
        for who, values in frame.items():
            points = _points(path, f"keypoints[{t}][{who}]", values)[:, [1, 0, 2]]
            if len(points) != len(COCO17) and max(numbers.get(n, len(points)) for n in COCO17) < len(points):
                points = points[[numbers[n] for n in COCO17]]
            rows[_number(who)] = points
        frames.append(rows)
    return frames
