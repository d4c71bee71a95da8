"""What a run is told, and which of it goes together."""

import math
from dataclasses import dataclass
from typing import Optional

from .calibration import Z_UP
from .errors import VideoError

_RANGES = {
    "fov": (5.0, 150.0, "degrees, across the longer side of the image"),
    "stature": (0.5, 2.5, "m"),
    "camera_height": (0.05, 15.0, "m"),
    "floor": (-100.0, 100.0, "m"),
    "fps": (1.0, 1000.0, "frames per second"),
    "start": (0.0, math.inf, "s"),
    "end": (0.0, math.inf, "s"),
}


@dataclass
class Options:
    """What the command line takes."""

    fov: Optional[float] = None  # degrees across the longer side of the image
    stature: Optional[float] = None  # m
    camera_height: Optional[float] = None  # of one uncalibrated camera above the ground, m
    camera_calibration: Optional[str] = None
    up: Optional[str] = None  # of the calibration's world
    floor: Optional[float] = None  # height of the ground in the calibration's world, m
    person: Optional[int] = None  # from 1
    fps: Optional[float] = None
    start: Optional[float] = None  # s
    end: Optional[float] = None
    sync: bool = False
    estimates: bool = True  # use the detector's landmarks as 3D estimates
    preview: bool = False  # only the numbered pictures of the people
    force: bool = False
    arguments: tuple = ()  # more for motionfit reconstruct

    def check(self):
        """Raises :class:`VideoError` for values out of range and for those that do not go together."""
        for name, (least, most, unit) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                upper = f"to {most:g}" if math.isfinite(most) else "or more"
                raise VideoError(f"{_flag(name)} {value:g}: give {least:g} {upper} {unit}")
        if self.start is not None and self.end is not None and not self.start < self.end:
            raise VideoError(f"--start {self.start:g} --end {self.end:g}: the end comes after the start")
        if self.person is not None and self.person < 1:
            raise VideoError(f"--person {self.person}: they are counted from 1, the longest seen first")
        if self.up is not None and self.up not in Z_UP:
            raise VideoError(f"--up {self.up}: give one of {', '.join(Z_UP)}")
        for name in ("fov", "camera_height") if self.camera_calibration else ("up", "floor"):
            if getattr(self, name) is not None:
                rule = "is not for calibrated cameras" if self.camera_calibration else "goes with --camera-calibration"
                raise VideoError(f"{_flag(name)} {rule}: leave one of them out")


def _flag(name):
    return "--" + name.replace("_", "-")
