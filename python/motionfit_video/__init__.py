"""From video to physically simulated motion: detect, place the camera, reconstruct, draw.

>>> from motionfit_video import Options, run
>>> run(["clip.mp4"], "out/clip", Options(fov=60.0))

Needs the extra ``video`` (mediapipe, OpenCV, SciPy) and the command ``motionfit`` (on PATH, or where MOTIONFIT_BIN
says), not the compiled extension. Cameras are OpenCV's: x right, y down, z forward; worlds are z up, metres.
"""

__all__ = ["Options", "VideoError", "run"]


def __getattr__(name):
    # Late, so that the command can say what is missing in one line.
    if name == "VideoError":
        from .errors import VideoError

        return VideoError
    if name in __all__:
        from . import pipeline

        return getattr(pipeline, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
