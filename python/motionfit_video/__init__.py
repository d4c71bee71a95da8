"""From video to physically simulated motion: detect, place the camera, reconstruct, draw.

>>> from motionfit_video import Options, run
>>> run(["clip.mp4"], "out/clip", Options(fov=60.0))

Needs the extra ``video`` (mediapipe, OpenCV, SciPy) and the command ``motionfit`` (on PATH, or where MOTIONFIT_BIN
says), not the compiled extension. Cameras are OpenCV's: x right, y down, z forward; worlds are z up, metres.
"""

from .errors import VideoError
from .pipeline import Options, run

__all__ = ["Options", "VideoError", "run"]
