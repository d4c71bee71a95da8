#!/usr/bin/env python3
"""Writes tests/golden/arrays_protocol{2,4,5}.pkl, the pickles that src/motion/files/pickle.rs is
tested with.

    python3 tools/golden_pickles.py
"""
import pickle

import numpy as np

value = {"a": np.array([[1.5, -2.0]], np.float32), "b": [np.array([0.25])]}
for protocol in (2, 4, 5):
    with open("tests/golden/arrays_protocol%d.pkl" % protocol, "wb") as file:
        pickle.dump(value, file, protocol)
