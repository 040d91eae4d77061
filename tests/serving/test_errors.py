"""The tree of errors is what its drawing says."""

import builtins
import re
import struct
import zlib

import grpc
import pytest
from cloudevents.exceptions import MissingRequiredFields
from google.protobuf.message import EncodeError

from oip.errors import InvalidRequest, NotOfferedRequest
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


NO_FAULTS = {"ExceptionGroup", "StopAsyncIteration", "StopIteration", "Warning"}
"""Of groups of tasks, of iterators and of a development mode: none gets out of a request."""


def test_every_kind_of_pythons_own_exceptions_is_awaited() -> None:
    kinds = {each for each in vars(builtins).values() if isinstance(each, type) and Exception in each.__bases__}
    assert {kind.__name__ for kind in kinds} - {kind.__name__ for kind in errors.UNEXPECTED} == NO_FAULTS


@pytest.mark.parametrize("kind", [struct.error, zlib.error, grpc.RpcError, EncodeError, MissingRequiredFields])
def test_a_fault_of_a_package_is_awaited(kind: type[Exception]) -> None:
    assert issubclass(kind, errors.UNEXPECTED)


def test_an_extension_that_is_not_offered_keeps_its_text() -> None:
    leaf = as_service_error(NotOfferedRequest("shared memory is not offered"))
    assert (leaf.status, leaf.message) == (501, "shared memory is not offered")


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
