"""By how many frames clips of the same movement are shifted, by cross-correlating the speeds of keypoints."""

import numpy as np

from scipy.ndimage import gaussian_filter1d

from .layouts import Parts

SURE = 0.5  # correlation from which a shift is believed
SMOOTH = 0.05  # s, standard deviation of the Gaussian that takes the detector's noise from speeds


def speeds(person, layout, fps):
    """Vertical speeds (K, T) of ankles, knees, hips, shoulders and head, in heights of the person a frame.

    Every camera sees up and down.
    """
    parts = Parts(layout)
    joints = [*parts.ankles, *parts.knees, *parts.hips, *parts.shoulders, *parts.head]
    x = np.where(person.keypoints[:, joints, 2] > 0.3, person.keypoints[:, joints, 1], np.nan)
    frames = np.arange(len(x))
    for column in x.T:
        known = np.isfinite(column)
        if known.sum() > 1:
            column[:] = gaussian_filter1d(np.interp(frames, frames[known], column[known]), SMOOTH * fps)
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
    if frames < 10 or both.sum() < 50:
        return -1.0
    a, b = a[both] - a[both].mean(), b[both] - b[both].mean()
    return float((a * b).sum() / np.sqrt(max((a * a).sum() * (b * b).sum(), 1e-12)))
