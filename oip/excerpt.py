"""Client data as an error may show it: short, on one line, and never a whole tensor."""

LENGTH_LIMIT = 30
"""Characters of one excerpt; an error shows at most two: the tensor's name and what was given."""


def excerpt(value: object) -> str:
    """At most `LENGTH_LIMIT` characters; lists and objects of JSON by their kind alone, shapes (tuples) as lists."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case list():
            return "a list"
        case dict():
            return "an object"
        case tuple():
            return _shortened(str(list(value)))
        case str() | bytes():
            return _shortened(repr(value[:LENGTH_LIMIT]))
        case _:
            return _shortened(repr(value))


def _shortened(text: str) -> str:
    return text if len(text) <= LENGTH_LIMIT else f"{text[: LENGTH_LIMIT - 3]}..."
