"""What stops a script with one clear line."""


class RunError(Exception):
    """Something that the person at the terminal can act on; its text is the whole message."""
