#!/usr/bin/env python3
"""Writes tests/golden/c3d/*.c3d, small files of every kind of processor and number, and
tests/golden/c3d.json with what ezc3d reads from them; of files that are too large to be kept (given as
arguments) only the numbers. src/motion/files/c3d.rs and tests/formats.rs are tested with them.

    python3 tools/golden_c3d.py [FILE.c3d ...]          (needs numpy and ezc3d)
"""
import json
import os
import struct
import sys

import ezc3d
import numpy as np

POINTS, FRAMES, SAMPLES, CHANNELS, RATE = 260, 4, 4, 8, 100.0


def floats(values, processor):
    values = np.asarray(values, np.float32).ravel()
    if processor == 84:
        return values.astype("<f4").tobytes()
    if processor == 86:
        return values.astype(">f4").tobytes()
    # VAX F: four times the IEEE number, the 16-bit words swapped.
    words = (values * np.float32(4)).astype("<f4").view("<u2").reshape(-1, 2)
    return np.ascontiguousarray(words[:, ::-1]).tobytes()


def ints(values, processor):
    return np.asarray(values).ravel().astype(">i2" if processor == 86 else "<i2").tobytes()


class Parameters:
    def __init__(self, processor):
        self.processor, self.data, self.groups = processor, b"", []

    def entry(self, name, group, content):
        body = name.encode() + ints([2 + len(content)], self.processor) + content
        self.data += struct.pack("<bb", len(name), group) + body

    def group(self, name):
        self.groups.append(name)
        self.entry(name, -len(self.groups), b"\0")

    def array(self, name, kind, shape, content):
        head = struct.pack("<bB", kind, len(shape)) + bytes(shape)
        self.entry(name, len(self.groups), head + content + b"\0")

    def ints(self, name, values, shape=None):
        shape = [len(values)] if shape is None else shape
        self.array(name, 2, shape, ints(values, self.processor))

    def floats(self, name, values, shape=None):
        shape = [len(values)] if shape is None else shape
        self.array(name, 4, shape, floats(values, self.processor))

    def text(self, name, lines, width):
        content = "".join(line.ljust(width) for line in lines).encode()
        self.array(name, -1, [width, len(lines)], content)

    def blocks(self):
        data = b"\1\x50" + bytes([0, self.processor]) + self.data + b"\0\0"
        data = data.ljust(-(-len(data) // 512) * 512, b"\0")
        return data[:2] + bytes([len(data) // 512]) + data[3:]


def write(path, processor, integer):
    scale = 0.1 if integer else -0.1
    parameters = Parameters(processor)
    parameters.group("POINT")
    parameters.ints("USED", [POINTS], [])
    parameters.floats("SCALE", [scale], [])
    parameters.floats("RATE", [RATE], [])
    parameters.ints("FRAMES", [FRAMES], [])
    parameters.text("UNITS", ["mm"], 2)
    parameters.text("LABELS", ["P%d" % k for k in range(255)], 6)
    parameters.text("LABELS2", ["P%d" % k for k in range(255, POINTS)], 6)
    parameters.group("ANALOG")
    parameters.ints("USED", [CHANNELS], [])
    parameters.floats("GEN_SCALE", [0.5], [])
    parameters.floats("SCALE", [0.01 * (k + 1) for k in range(CHANNELS)])
    # ezc3d drops the sign of negative offsets, which the format has.
    parameters.ints("OFFSET", [10 * k for k in range(CHANNELS)])
    parameters.floats("RATE", [RATE * SAMPLES], [])
    parameters.text("UNITS", ["N"] * 3 + ["Nmm"] * 3 + ["V"] * 2, 4)
    parameters.text("LABELS", ["Fx", "Fy", "Fz", "Mx", "My", "Mz", "EMG1", "EMG2"], 4)
    parameters.group("FORCE_PLATFORM")
    parameters.ints("USED", [1], [])
    parameters.ints("TYPE", [2])
    parameters.ints("ZERO", [1, 0])
    parameters.floats("CORNERS", [400, 600, 0, 0, 600, 1, 0, 0, 2, 400, 0, 3], [3, 4, 1])
    parameters.floats("ORIGIN", [0.5, -0.25, -40], [3, 1])
    parameters.ints("CHANNEL", [1, 2, 3, 4, 5, 6], [6, 1])
    blocks = parameters.blocks()
    start = 2 + len(blocks) // 512
    header = struct.pack("BB", 2, 0x50) + ints([POINTS, CHANNELS * SAMPLES, 11, 10 + FRAMES, 10], processor)
    header += floats([scale], processor) + ints([start, SAMPLES], processor) + floats([RATE], processor)
    random = np.random.default_rng(5)
    data = b""
    for frame in range(FRAMES):
        points = random.integers(-9000, 9000, (POINTS, 4))
        points[:, 3] = random.integers(0, 2, POINTS) * 256
        points[frame::7, 3] = -1
        analog = random.integers(-500, 500, SAMPLES * CHANNELS)
        if integer:
            data += ints(points, processor) + ints(analog, processor)
        else:
            points = points.astype(float)
            points[:, :3] *= 0.25
            data += floats(points, processor) + floats(analog + 0.5, processor)
    data = data.ljust(-(-len(data) // 512) * 512, b"\0")
    with open(path, "wb") as file:
        file.write(header.ljust(512, b"\0") + blocks + data)


def golden(path):
    c3d = ezc3d.c3d(path)
    points = c3d["data"]["points"][:3].transpose(2, 1, 0)
    analog = c3d["data"]["analogs"][0].T
    point, plate = c3d["parameters"]["POINT"], c3d["parameters"]["FORCE_PLATFORM"]
    names = [name for key in ("LABELS", "LABELS2") for name in point.get(key, {"value": []})["value"]]
    some = [(t, n) for t in (0, len(points) // 2, len(points) - 1) for n in range(0, points.shape[1], 29)]
    number = lambda x: None if np.isnan(x) else float(x)
    return {
        "shape": points.shape[:2],
        "rate": float(point["RATE"]["value"][0]),
        "units": point["UNITS"]["value"][0],
        "names": names[:points.shape[1]][::29],
        "missing": int(np.isnan(points[..., 0]).sum()),
        "sum": float(np.nansum(np.abs(points))),
        "some": [[t, n] + [number(x) for x in points[t, n]] for t, n in some],
        "analog_shape": analog.shape,
        "analog_sum": float(np.abs(analog).sum()),
        "analog": [float(x) for x in analog[len(analog) // 2]],
        "plates": [{
            "type": int(plate["TYPE"]["value"][k]),
            "corners": plate["CORNERS"]["value"][:, :, k].T.ravel().tolist(),
            "origin": plate["ORIGIN"]["value"][:, k].tolist(),
            "channels": [int(c) - 1 for c in plate["CHANNEL"]["value"][:, k]],
        } for k in range(int(plate["USED"]["value"][0]))],
    }


folder = os.path.join("tests", "golden")
result = {}
for kind, processor in (("intel", 84), ("dec", 85), ("mips", 86)):
    for numbers in ("integer", "float"):
        name = "%s_%s.c3d" % (kind, numbers)
        write(os.path.join(folder, "c3d", name), processor, numbers == "integer")
        if kind != "mips":  # ezc3d does not read it; the numbers are those of the other files
            result[name] = golden(os.path.join(folder, "c3d", name))
for path in sys.argv[1:]:
    result[os.path.basename(path)] = golden(path)
with open(os.path.join(folder, "c3d.json"), "w") as file:
    file.write("{\n" + ",\n".join("%s: %s" % (json.dumps(k), json.dumps(v)) for k, v in result.items()) + "\n}")
    file.write("\n")
