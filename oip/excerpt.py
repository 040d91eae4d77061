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
            return shortened(str(list(value)))
        case str() | bytes():
            return shortened(repr(value[:LENGTH_LIMIT]))
        case _:
            return shortened(repr(value))


def shortened(text: str) -> str:
    """At most `LENGTH_LIMIT` characters of a text that is on one line."""
    return text if len(text) <= LENGTH_LIMIT else f"{text[: LENGTH_LIMIT - 3]}..."
