"""The tree of errors is what its drawing says."""

import re

import pytest

from oip.errors import InvalidRequest
from serving import errors
from serving.errors import DeadlineExceeded, InternalError, ServiceError, as_service_error

ROW = re.compile(r"^[│├└─ ]*(?P<name>\w+) +(?P<status>\d{3})  (?P<grpc>[A-Z_]+) +(?P<code>[a-z_]+) +(?P<retry>yes|no)$")


def leaves(root: type[ServiceError]) -> list[type[ServiceError]]:
    return [leaf for child in root.__subclasses__() for leaf in (child, *leaves(child))]


def test_the_drawing_holds_every_leaf_with_its_codes() -> None:
    rows = [match.groups() for line in (errors.__doc__ or "").splitlines() if (match := ROW.match(line))]
    told = [
        (leaf.__name__, str(leaf.status), leaf.grpc_code.name, leaf.code, "yes" if leaf.retryable else "no")
        for leaf in leaves(ServiceError)
    ]
    assert sorted(rows) == sorted(told)


def test_no_two_leaves_share_a_code() -> None:
    codes = [leaf.code for leaf in leaves(ServiceError)]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("kind", errors.UNEXPECTED)
def test_a_fault_becomes_an_internal_error_without_its_text(kind: type[Exception]) -> None:
    leaf = as_service_error(kind("/secret/path"))
    assert type(leaf) is InternalError
    assert "secret" not in leaf.message


def test_a_broken_protocol_is_bad_input_with_its_text() -> None:
    leaf = as_service_error(InvalidRequest("shape: expected [1], got [2]"))
    assert (leaf.status, leaf.message) == (400, "shape: expected [1], got [2]")


def test_a_timeout_is_a_deadline() -> None:
    assert type(as_service_error(TimeoutError())) is DeadlineExceeded


def test_only_what_may_help_is_to_be_tried_again() -> None:
    assert {leaf.code for leaf in leaves(ServiceError) if leaf.retryable} == {
        "unavailable",
        "overloaded",
        "not_ready",
        "predictor_unavailable",
    }
