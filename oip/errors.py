"""What a client got wrong in a message of the Open Inference Protocol."""


class InvalidRequest(ValueError):
    """A request that breaks the protocol or the contract; the text names the field, what was expected and what given.

    The text is written for the client, so it never holds anything that the client did not send or may not know.
    """


class NotOfferedRequest(InvalidRequest):
    """A request for an extension of the protocol that is known and that nobody here offers."""


def mismatch(field: str, expected: object, given: object) -> InvalidRequest:
    """The usual form: which field, what the server expected, what the client sent."""
    return InvalidRequest(f"{field}: expected {expected}, got {given}")
