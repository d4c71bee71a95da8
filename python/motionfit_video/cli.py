"""The command ``motionfit-video``. Exit codes: 0 done, 2 bad input, 130 interrupted, 1 anything else."""

import argparse
import sys

from .errors import VideoError


def parser():
    parser = argparse.ArgumentParser(prog="motionfit-video", description="Turn video into physically simulated motion.")
    add = parser.add_argument
    add("clips", nargs="+", metavar="CLIP", help="video of a static camera; several clips are several cameras of one scene")
    add("--out", required=True, metavar="DIR", help="where to write")
    add("--fov", type=float, metavar="DEG", help="angle across the longer side of the image; else from metadata, else 60")
    add("--stature", type=float, metavar="M", help="standing height of the person; else 1.70 for one uncalibrated camera")
    add("--camera-height", type=float, metavar="M", help="height of the uncalibrated camera above the ground, measured; else found")
    add("--camera-calibration", metavar="FILE", help="Pose2Sim or Anipose .toml, Qualisys .qca.txt, OpenCV .yml, motionfit .json")
    add("--up", default="z", metavar="AXIS", help="axis of the calibration's world that points up: z, y, -y, ... (default z)")
    add("--floor", type=float, metavar="M", help="height of the ground in the calibration's world; else 0, or from the feet that several cameras see")
    add("--person", type=int, metavar="N", help="which person, from 1; else who is seen longest")
    add("--fps", type=float, metavar="F", help="frames per second at which the clip was taken, for slow motion")
    add("--start", type=float, metavar="S", help="where to start, s")
    add("--end", type=float, metavar="S", help="where to stop, s")
    add("--sync", action="store_true", help="find the shift between several clips from the movement")
    add("--no-estimates", action="store_true", help="do not use the detector's 3D landmarks")
    add("--force", action="store_true", help="replace an earlier run; its detections are used again")
    return parser


def _show(path, done, total):
    end = "\n" if done >= total else ""
    if done % 10 == 0 or end:
        print(f"\r{path}: {done}/{total} frames", end=end, file=sys.stderr, flush=True)


def main(arguments=None, detector=None):
    args = parser().parse_args(arguments)
    names = ("fov", "stature", "camera_height", "camera_calibration", "up", "floor", "person", "fps", "start", "end", "sync", "force")
    try:
        from .pipeline import Options, run

        if args.stature is not None and not 0.5 <= args.stature <= 2.5:
            raise VideoError(f"--stature {args.stature:g}: give 0.5 to 2.5 m")
        if args.camera_height is not None and not 0.05 <= args.camera_height <= 15:
            raise VideoError(f"--camera-height {args.camera_height:g}: give 0.05 to 15 m")
        options = Options(estimates=not args.no_estimates, **{name: getattr(args, name) for name in names})
        run(args.clips, args.out, options, detector, progress=_show)
    except VideoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ImportError as error:
        print(f"error: {error}: pip install 'motionfit[video]'", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
