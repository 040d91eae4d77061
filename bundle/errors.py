"""What is wrong with a bundle, or keeps one from being made."""


class BundleError(ValueError):
    """The text is one line that names the file or field, what was expected and what was given."""


class DownloadFailed(BundleError):
    """The weights could not be fetched at all: no network, nobody there, or no such file; other weights still work."""


def mismatch(where: str, expected: object, given: object) -> BundleError:
    """The usual form: which file or field, what was expected, what was given."""
    return BundleError(f"{where}: expected {expected}, got {given}")
