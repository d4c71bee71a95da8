"""Detections that outlive their run: ``OUT.detections/`` until the run is complete, then ``OUT/detections/``."""

import json
import os
import shutil
import tempfile
import zipfile

import numpy as np

from .people import Person

VERSION = 1


class Cache:
    """The detections of the clips of the run that is written into ``out``."""

    def __init__(self, out):
        self.folder = folder(out)
        self._complete = os.path.join(out, "detections")
        self._paths = {}  # of the detections that this run uses

    def load(self, name, key):
        """The layout and the people that were found under the same ``key``, or None."""
        for place in (self.folder, self._complete):
            path = os.path.join(place, name + ".npz")
            try:
                with np.load(path) as archive:
                    if str(archive["key"]) != key:
                        continue
                    keypoints = archive["keypoints"]
                    landmarks = archive["landmarks"] if "landmarks" in archive else [None] * len(keypoints)
                    self._paths[name] = path
                    return str(archive["layout"]), [Person(k, w) for k, w in zip(keypoints, landmarks)]
            except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
                continue  # none, or a broken one: the people are looked for again
        return None

    def save(self, name, key, layout, people, fps):
        """Keeps the people of a clip, all at once."""
        arrays = {"keypoints": np.stack([p.keypoints for p in people])}
        if all(p.landmarks is not None for p in people):
            arrays["landmarks"] = np.stack([p.landmarks for p in people])
        path = self.path(name + ".npz")
        handle, partial = tempfile.mkstemp(suffix=".partial", dir=self.folder)
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez_compressed(file, key=key, layout=layout, fps=fps, **arrays)
            os.replace(partial, path)
            self._paths[name] = path
        except BaseException:
            os.unlink(partial)
            raise

    def path(self, name):
        """Where a file of that name is written, in a folder that is there."""
        os.makedirs(self.folder, exist_ok=True)
        return os.path.join(self.folder, name)

    def copy(self, into):
        """Copies the detections of this run into the folder of a complete one."""
        for path in self._paths.values():
            shutil.copy(path, into)

    def forget(self, names):
        """Removes what is kept of the clips called ``names``, and the folder if nothing else is in it."""
        for found in os.listdir(self.folder) if os.path.isdir(self.folder) else []:
            picture = any(found.startswith(f"people_{name}_") and found.endswith(".png") for name in names)
            if picture or os.path.splitext(found)[0] in names:
                os.unlink(os.path.join(self.folder, found))
        try:
            os.rmdir(self.folder)
        except OSError:
            pass  # never made, or something of another run is in it


def folder(out):
    """Where the detections of a run that is not complete are kept."""
    return os.path.abspath(out) + ".detections"


def key(detector, clip):
    """What detections depend on: they are used again where it is the same."""
    status = os.stat(clip.path)
    file = [os.path.abspath(clip.path), status.st_size, int(status.st_mtime), clip.fps]
    return f"{json.dumps([VERSION, detector.name, *file])} {clip.frames[0]} {clip.frames[-1]} {len(clip.frames)}"
