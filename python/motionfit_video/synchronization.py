"""By how many frames clips of the same movement are shifted, by cross-correlating the speeds of keypoints."""

import numpy as np

from .layouts import Parts

LEAST_OVERLAP = 0.5  # of the shorter clip


def speeds(person, layout):
    """Vertical speeds (K, T) of wrists' and ankles' parents in heights of the person: every camera sees up and down."""
    parts = Parts(layout)
    joints = [*parts.ankles, *parts.knees, *parts.hips, *parts.shoulders, *parts.head]
    x = np.where(person.keypoints[:, joints, 2] > 0.3, person.keypoints[:, joints, 1], np.nan)
    boxes = person.boxes()
    scale = np.nanmedian(boxes[:, 3] - boxes[:, 1])
    return np.diff(x, axis=0).T / scale


def offsets(all_speeds, most):
    """Frames by which each clip lags behind the first, and the correlation there; at most ``most`` frames."""
    found = [(0, 1.0)]
    for other in all_speeds[1:]:
        scores = {lag: _correlation(all_speeds[0], other, lag) for lag in range(-most, most + 1)}
        lag = max(scores, key=scores.get)
        found.append((lag, scores[lag]))
    return found


def _correlation(a, b, lag):
    a, b = (a[:, : a.shape[1] - lag], b[:, lag:]) if lag >= 0 else (a[:, -lag:], b[:, :lag])
    frames = min(a.shape[1], b.shape[1])
    a, b = a[:, :frames], b[:, :frames]
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < LEAST_OVERLAP * a.shape[0] * 10 or frames < 10:
        return -1.0
    a, b = a[both] - a[both].mean(), b[both] - b[both].mean()
    return float((a * b).sum() / np.sqrt(max((a * a).sum() * (b * b).sum(), 1e-12)))
