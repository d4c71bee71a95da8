"""Writes tests/golden/body_models: small models in the layouts of SMPL's family, for `--body-model`.

    python tools/golden_body_models.py

Needs numpy and scipy. The numbers are made up: the joints are those of the body of average proportions
(src/motion/files/smpl/body.rs), and each is the middle of two vertices. All files hold the same body. `Ch` and `Select`
below only have the names and attributes of chumpy's classes.
"""

import io
import os
import pickle
import re
import struct
import sys
import types

import numpy as np
import scipy.sparse

FOLDER = "tests/golden/body_models"
PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21]
JOINTS, VERTICES, COEFFICIENTS = 24, 60, 4


def joints():
    text = open("src/motion/files/smpl/body.rs").read()
    table = text.split("pub const OFFSETS")[1].split("= [", 1)[1].split("];")[0]
    offsets = np.array([float(x) for x in re.findall(r"-?\d+\.\d+", table)]).reshape(JOINTS, 3)
    places = np.zeros((JOINTS, 3))
    for joint, parent in enumerate(PARENTS):
        places[joint] = offsets[joint] + (places[parent] if parent >= 0 else 0)
    return places


def model():
    """The arrays: vertices 2j and 2j + 1 are on both sides of joint j, the last ones belong to none."""
    places = joints()
    template = np.random.default_rng(1).normal(size=(VERTICES, 3))
    directions = np.random.default_rng(2).normal(size=(VERTICES, 3, COEFFICIENTS))
    regressor = np.zeros((JOINTS, VERTICES))
    for joint, place in enumerate(places):
        pair = [2 * joint, 2 * joint + 1]
        template[pair] = place + [[0.05, 0, 0.01], [-0.05, 0, -0.01]]
        regressor[joint, pair] = 0.5
        directions[pair] = 0
        directions[pair, :, 0] = 0.1 * place  # all of it is larger
        directions[pair, 1, 1] = {4: -0.02, 5: -0.02, 7: -0.04, 8: -0.04, 10: -0.04, 11: -0.04}.get(joint, 0)
        directions[pair, 0, 2] = 0.03  # its origin is elsewhere
        directions[pair[0], 2, 3] = 0.5  # vertices move and joints do not
        directions[pair[1], 2, 3] = -0.5
    tree = np.array([PARENTS, range(JOINTS)]).astype(np.uint32)
    return {"v_template": template, "shapedirs": directions, "J_regressor": regressor, "kintree_table": tree}


def foreign(module, name):
    """A class that a pickle calls so."""
    kind = type(name, (), {"__module__": module})
    for part in (module.split(".")[0], module):
        sys.modules.setdefault(part, types.ModuleType(part))
    setattr(sys.modules[module], name, kind)
    return kind


def made(kind, **attributes):
    thing = kind()
    thing.__dict__.update(attributes)
    return thing


class Python2(pickle._Pickler):
    """Texts and bytes as Python 2 has them, which knows no difference."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_bytes(self, value):
        if self.proto == 0:
            text = repr(value)[1:].encode()
            self.write(b"S" + text + b"\n")
        elif len(value) < 256:
            self.write(b"U" + bytes([len(value)]) + value)
        else:
            self.write(b"T" + struct.pack("<i", len(value)) + value)

    def save_text(self, value):
        self.save_bytes(value.encode())

    dispatch[bytes] = save_bytes
    dispatch[str] = save_text


def python2(value, protocol):
    file = io.BytesIO()
    Python2(file, protocol).dump(value)
    names = {b"cnumpy._core.": b"cnumpy.core.", b"cscipy.sparse._": b"cscipy.sparse."}
    written = file.getvalue()
    for new, old in names.items():
        written = written.replace(new, old)
    return written


def write(name, written):
    with open(f"{FOLDER}/{name}", "wb") as file:
        file.write(written)


os.makedirs(FOLDER, exist_ok=True)
plain = model()
Ch, Select = foreign("chumpy.ch", "Ch"), foreign("chumpy.reordering", "Select")


def variable(array):
    return made(Ch, _dirty_vars=set(), _itr=None, x=array)


def wrapped(sparse):
    return {
        **plain,
        "shapedirs": variable(plain["shapedirs"]),
        "J_regressor": sparse(plain["J_regressor"]),
        "bs_style": "lbs",
        "J": variable(joints()),
    }


np.savez_compressed(f"{FOLDER}/plain.npz", **plain, joint2num=np.array({"pelvis": 0}, object))
np.savez_compressed(f"{FOLDER}/objects.npz", **{**plain, "J_regressor": scipy.sparse.csc_matrix(plain["J_regressor"])})
write("plain_protocol4.pkl", pickle.dumps(plain, 4))
write("python2_csc.pkl", python2(wrapped(scipy.sparse.csc_matrix), 2))
write("protocol0_csr.pkl", python2(wrapped(scipy.sparse.csr_matrix), 0))
selected = wrapped(scipy.sparse.coo_matrix)
source = np.concatenate([plain["shapedirs"], np.ones((VERTICES, 3, 2))], axis=2)
places = np.arange(source.size).reshape(source.shape)[:, :, :COEFFICIENTS]
selected["shapedirs"] = made(Select, a=variable(source), idxs=places.ravel(), preferred_shape=places.shape)
write("selection_coo.pkl", pickle.dumps(selected, 5))
