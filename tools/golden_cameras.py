#!/usr/bin/env python3
"""Writes tests/golden/cameras.json: world points and their pixels, which tests/cameras.rs repeats.

    python3 tools/golden_cameras.py > tests/golden/cameras.json     (needs numpy and opencv-python)

OpenCV's model is projected by OpenCV itself; Human3.6M's by the formula of its toolbox, written
out here per coordinate (the tangential terms are crossed against OpenCV's and have no factor 2).
"""
import json

import cv2
import numpy as np

rng = np.random.default_rng(36)
points = rng.uniform([-1.5, -1.5, 0], [1.5, 1.5, 1.9], (12, 3))


def opencv():
    K = np.array([[1310.5, 0, 955.0], [0, 1308.25, 545.5], [0, 0, 1]])
    distortions = np.array([-0.114, 0.05, 0.0012, -0.0008, 0.01])
    rvec, t = np.array([1.45, 0.4, -0.3]), np.array([0.1, 0.9, 4.5])
    pixels, _ = cv2.projectPoints(points, rvec, t, K, distortions)
    camera = dict(name="opencv", size=[1920, 1080], matrix=K.tolist(), distortions=distortions.tolist(),
                  rotation=rvec.tolist(), translation=t.tolist(), units="m", up="z")
    return camera, pixels[:, 0]


def human36m():
    # Camera 60457274 and subject S9, as published with VideoPose3D; millimetres there.
    w, x, y, z = q = np.array([0.58794, -0.78234, 0.14276, -0.14795])
    w, x, y, z = q / np.linalg.norm(q)
    to_world = np.array([[1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                         [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                         [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]])
    position = np.array([-1.696043, -3.827100, 1.591413])
    f, c = (1145.511, 1144.774), (514.968, 501.882)
    k, p = (-0.19838, 0.21832, -0.00895), (-0.000587, -0.001813)
    pixels = []
    for point in points:
        X, Y, Z = to_world.T @ (point - position)
        a, b = X / Z, Y / Z
        r2 = a * a + b * b
        scale = 1 + k[0] * r2 + k[1] * r2**2 + k[2] * r2**3 + p[0] * a + p[1] * b
        pixels.append([f[0] * (a * scale + p[0] * r2) + c[0], f[1] * (b * scale + p[1] * r2) + c[1]])
    camera = dict(name="S9/60457274", size=[1000, 1002], focal=f, center=c, h36m_radial=k, h36m_tangential=p,
                  orientation_wxyz=q.tolist(), position=(1000 * position).tolist(), units="mm")
    return camera, np.array(pixels)


cases = []
for camera, pixels in (opencv(), human36m()):
    cases.append(dict(camera=camera, pixels=pixels.tolist()))
print(json.dumps(dict(points=points.tolist(), cases=cases), indent=1))
