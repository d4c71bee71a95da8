"""What phones write into their videos: QuickTime's metadata atoms ``keys`` and ``ilst``."""

import struct

FOCAL = b"com.apple.quicktime.camera.focal_length.35mm_equivalent"
TAIL = 1 << 22  # bytes at either end of the file in which the atoms are looked for
FULL_FRAME = 36.0  # mm across the longer side of the picture that the equivalent refers to


def focal_of_metadata(path, size):
    """Focal length in px for an image of ``size``, or None where the file does not say."""
    with open(path, "rb") as file:
        file.seek(0, 2)
        end = file.tell()
        parts = []
        for start in sorted({0, max(0, end - TAIL)}):
            file.seek(start)
            parts.append(file.read(TAIL))
    for content in parts:
        millimetres = _value(content, FOCAL)
        if millimetres is not None and 5 < millimetres < 300:
            return max(size) * millimetres / FULL_FRAME
    return None


def _value(content, key):
    """The number that goes with ``key``, or None."""
    found = content.find(key)
    keys = content.rfind(b"keys", 0, max(found, 0))
    if keys < 0:
        return None
    word = lambda at: struct.unpack(">I", content[at : at + 4])[0]
    try:
        at, wanted = keys + 12, None
        for number in range(1, word(keys + 8) + 1):
            if content[at + 8 : at + word(at)] == key:
                wanted = number
            at += max(word(at), 8)
        items = content.find(b"ilst", at)
        at, stop = items + 4, items - 4 + word(items - 4)
        while items >= 0 and at < stop:
            if word(at + 4) == wanted and content[at + 12 : at + 16] == b"data":
                value = content[at + 24 : at + word(at)]
                kind = word(at + 16)
                return float(value) if kind == 1 else float(int.from_bytes(value, "big"))
            at += max(word(at), 8)
    except (struct.error, ValueError):
        pass
    return None
