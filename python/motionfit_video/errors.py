"""What the user can mend."""


class VideoError(Exception):
    """Bad input: one line that says what was found and what to do; exit code 2."""
