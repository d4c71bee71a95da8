"""Runs the command ``motionfit`` and tells how far it is."""

import os
import re
import shutil
import subprocess

from .errors import VideoError

FRAMES = re.compile(rb"(\d+)/(\d+)(?: frames|, window)")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def find():
    """The path of the command."""
    program = os.environ.get("MOTIONFIT_BIN") or shutil.which("motionfit")
    if not program or not os.path.exists(program):
        raise VideoError("the command motionfit is not on PATH: install it, or set MOTIONFIT_BIN")
    return program


def call(command, log, progress):
    """Runs ``command``, its standard output into the file ``log``; ``progress`` gets frames done and frames in all.

    Raises :class:`VideoError` with the command's own sentence where the input is bad, RuntimeError for anything else.
    """
    ours, theirs = _terminal() or os.pipe()
    try:
        with open(log, "wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=theirs)
    finally:
        os.close(theirs)
    said = b""
    try:
        while chunk := _read(ours):
            said = (said + chunk)[-20_000:]
            if found := FRAMES.findall(chunk):
                progress(*map(int, found[-1]))
        code = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    finally:
        os.close(ours)
    if code != 0:
        if code == 130:
            raise KeyboardInterrupt
        message = _last_line(said.decode(errors="replace")) or f"motionfit ended with {code}"
        raise VideoError(message) if code == 2 else RuntimeError(message)


def _terminal():
    """Two ends of a terminal, before which the command shows its progress at once, or None where there is none."""
    try:
        import fcntl
        import pty
        import struct
        import termios

        ends = pty.openpty()
        fcntl.ioctl(ends[1], termios.TIOCSWINSZ, struct.pack("HHHH", 24, 250, 0, 0))
        return ends
    except (ImportError, OSError):
        return None


def _read(end):
    try:
        return os.read(end, 65536)
    except OSError:  # a terminal that nobody writes to any more
        return b""


def _last_line(text):
    lines = [line.strip() for line in re.split(r"[\r\n]+", ESCAPES.sub("", text)) if line.strip()]
    errors = [line for line in lines if line.startswith("error: ")]
    return (errors or lines or [""])[-1].removeprefix("error: ")
