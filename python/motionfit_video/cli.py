"""The command ``motionfit-video``. Exit codes: 0 done, 2 bad input, 130 interrupted, 143 terminated, 1 anything else."""

import argparse
import contextlib
import os
import signal
import sys
import time

from .errors import VideoError

SHOW_EVERY, LINE_EVERY = 0.2, 30.0  # s between looks at the progress, on a terminal and elsewhere


def parser():
    parser = argparse.ArgumentParser(prog="motionfit-video", description="Turn video into physically simulated motion.")
    add = parser.add_argument
    add("clips", nargs="+", metavar="CLIP", help="video of a static camera; several clips are several cameras of one scene")
    add("--out", required=True, metavar="DIR", help="where to write")
    add("--fov", type=float, metavar="DEG", help="angle across the longer side of the image; else from metadata, else 60")
    add("--stature", type=float, metavar="M", help="standing height of the person; else 1.70 for one uncalibrated camera")
    add("--camera-height", type=float, metavar="M", help="height of the uncalibrated camera above the ground, measured; else found")
    add("--camera-calibration", metavar="FILE", help="Pose2Sim or Anipose .toml, Qualisys .qca.txt, OpenCV .yml, OpenCap .pickle or folder Videos, motionfit .json")
    add("--up", metavar="AXIS", help="axis of the calibration's world that points up: z, y, -y, ... (default z; -y for OpenCap)")
    add("--floor", type=float, metavar="M", help="height of the ground in the calibration's world; else 0, or from the feet that several cameras see")
    add("--person", type=int, metavar="N", help="which person, from 1; else who is seen longest")
    add("--preview", action="store_true", help="only draw the people with their numbers, one picture a person, into DIR.detections")
    add("--fps", type=float, metavar="F", help="frames per second at which the clip was taken, for slow motion")
    add("--start", type=float, metavar="S", help="where to start, s")
    add("--end", type=float, metavar="S", help="where to stop, s")
    add("--sync", action="store_true", help="find the shift between several clips from the movement")
    add("--no-estimates", action="store_true", help="do not use the detector's 3D landmarks")
    add("--force", action="store_true", help="replace an earlier run; its detections are used again")
    add("--verbose", action="store_true", help="show what the libraries print as well")
    return parser


class _Progress:
    """What is being done, how far it is and for how long it goes on: on one line of a terminal, else on a line now and then."""

    def __init__(self):
        self._what, self._open = None, False

    def __call__(self, what, done, total):
        now, terminal = time.monotonic(), sys.stderr.isatty()
        if what != self._what:
            self.end()
            self._what, self._started, self._shown = what, now, -1e9 if terminal else now
        if not done:
            self._started = now
        over = 0 < total <= done
        if now - self._shown < (SHOW_EVERY if terminal else LINE_EVERY) and not over:
            return
        self._shown = now
        left = (now - self._started) * (total / done - 1) if done else 0
        frames = f": {done}/{total} frames" if total else ": the kinematic fit comes first"
        line = f"{what}{frames}{f', {left:.0f} s left' if left else ''}"
        print(f"\r{line:<78}" if terminal else line, end="" if terminal else "\n", file=sys.stderr, flush=True)
        self._open = terminal
        if over:
            self.end()

    def end(self):
        """Leaves the line, if it stands on one."""
        if self._open:
            print(file=sys.stderr, flush=True)
        self._open = False


class _Terminated(KeyboardInterrupt):
    pass


def _terminate(*_):
    raise _Terminated


@contextlib.contextmanager
def _on_terminate():
    """SIGTERM ends the run as Ctrl-C does: what was begun is removed."""
    try:
        before = signal.signal(signal.SIGTERM, _terminate)
    except ValueError:  # not the main thread
        before = None
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _quiet_libraries(quiet):
    """What TensorFlow Lite, FFmpeg and OpenCV write to descriptor 2, whatever one sets, goes nowhere; ``sys.stderr`` stays."""
    try:
        descriptor = sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        descriptor = None
    if not quiet or descriptor != 2:
        yield
        return
    sys.stderr.flush()
    before, kept = sys.stderr, os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = open(kept, "w", encoding=before.encoding, errors="replace", buffering=1, closefd=False)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        sys.stderr = before


def _joined(arguments):
    """``--up -y`` as ``--up=-y``: argparse takes the axis for an option."""
    joined = []
    for argument in arguments:
        if joined and joined[-1] == "--up" and argument in ("-x", "-y", "-z"):
            joined[-1] += "=" + argument
        else:
            joined.append(argument)
    return joined


def main(arguments=None, detector=None):
    args = parser().parse_args(_joined(sys.argv[1:] if arguments is None else arguments))
    progress = _Progress()

    def fail(code, line):
        progress.end()
        print(line, file=sys.stderr)
        return code

    with _quiet_libraries(not args.verbose), _on_terminate():
        try:
            _run(args, detector, progress)
        except VideoError as error:
            return fail(2, f"error: {error}")
        except ImportError as error:
            return fail(2, f"error: {error}: pip install './python[video]' in the folder of motionfit")
        except KeyboardInterrupt as error:
            return fail(143 if isinstance(error, _Terminated) else 130, _how_to_go_on(args.out))
        except OSError as error:
            return fail(1, f"error: {error.filename or args.out}: {error.strerror or error}")
        except RuntimeError as error:
            return fail(1, f"error: {error}")
    return 0


def _run(args, detector, progress):
    from .pipeline import Options, run

    names = "fov stature camera_height camera_calibration up floor person preview fps start end sync force".split()
    options = Options(estimates=not args.no_estimates, **{name: getattr(args, name) for name in names})

    def tell(line):
        progress.end()
        print(line, flush=True)

    run(args.clips, args.out, options, detector, tell, progress)


def _how_to_go_on(out):
    from .cache import folder

    if os.path.isdir(folder(out)):
        return f"interrupted: the detections are kept in {folder(out)}: the same command goes on with them"
    return "interrupted: nothing is written"
