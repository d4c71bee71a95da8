#!/usr/bin/env python3
"""Checks that OpenSim reads what `export --format mot` and `--format trc` write, and the same values.

    motionfit export out/walk --format mot --out walk.mot      (walk.xml and walk.trc are beside it)
    python tools/check_opensim.py walk.mot

Needs opensim from PyPI (4.6). The values are compared with those that a plain reading of the text gives, and the forces in
the external loads with the columns that they name. Prints a line for each file; exit code 1 where something differs.
"""

import sys
from pathlib import Path

import numpy as np
import opensim

MOST = 1e-9  # what parsing the same text may differ by


def rows(lines):
    """The numbers of lines, blank cells as NaN."""
    cells = [line.rstrip("\n").split("\t") for line in lines if line.strip()]
    return np.array([[float(cell) if cell.strip() else np.nan for cell in row] for row in cells])


def difference(ours, theirs):
    if ours.shape != theirs.shape:
        return np.inf
    return np.nanmax(np.abs(ours - theirs))


def storage(path):
    """The names of the columns and the numbers of a storage file."""
    lines = path.read_text().splitlines()
    head = lines.index("endheader") + 1
    return lines[head].split("\t"), rows(lines[head + 1 :])


def check_storage(path):
    names, ours = storage(path)
    table = opensim.TimeSeriesTable(str(path))
    theirs = np.column_stack([table.getIndependentColumn(), table.getMatrix().to_numpy()])
    assert list(table.getColumnLabels()) == names[1:], "names of columns"
    return difference(ours, theirs), f"{theirs.shape[0]} rows of {theirs.shape[1]} columns"


def check_markers(path):
    lines = path.read_text().splitlines()
    names = [name for name in lines[3].split("\t")[2:] if name]
    ours = rows(lines[5:])[:, 1:]
    table = opensim.TimeSeriesTableVec3(str(path))
    flat = table.flatten()  # x, y and z in columns of their own
    theirs = np.column_stack([table.getIndependentColumn(), flat.getMatrix().to_numpy()])
    assert list(table.getColumnLabels()) == names, "names of markers"
    unit = table.getTableMetaDataAsString("Units")
    assert unit == "mm", f"unit {unit}"
    return difference(ours, theirs), f"{theirs.shape[0]} frames of {len(names)} markers in {unit}"


def check_loads(path):
    loads = opensim.ExternalLoads(str(path), True)
    data = path.with_name(Path(loads.getDataFileName()).name)
    columns, numbers = storage(data)
    found = []
    for k in range(loads.getSize()):
        load = loads.get(k)
        for stem in [load.getForceIdentifier(), load.getPointIdentifier(), load.getTorqueIdentifier()]:
            assert all(f"{stem}{axis}" in columns for axis in "xyz"), f"{stem} is no column of {data.name}"
        up = numbers[:, columns.index(f"{load.getForceIdentifier()}y")]
        found.append(f"{load.getAppliedToBodyName()} up to {up.max():.0f} N")
    assert len(found) == 2, f"{len(found)} forces"
    return 0.0, ", ".join(found)


def main(mot):
    mot = Path(mot)
    failed = False
    for path, check in [
        (mot, check_storage),
        (mot.with_suffix(".trc"), check_markers),
        (mot.with_suffix(".xml"), check_loads),
    ]:
        try:
            worst, what = check(path)
        except (AssertionError, RuntimeError, OSError) as error:
            worst, what = np.inf, str(error)
        failed |= not worst <= MOST
        print(f"{path.name}: {what}; largest difference {worst:.1e}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
