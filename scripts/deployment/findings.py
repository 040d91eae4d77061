"""What a check found: one line each, of which the errors keep a person from deploying."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """`NOTE` is for a person to judge, `ERROR` would keep the service from running."""

    OK = "ok"
    NOTE = "note"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """`subject` is what the text is about, such as knative."""

    level: Level
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.level}: {self.subject}: {self.text}"


def ok(subject: str, text: str) -> Finding:
    """Something is as it should be."""
    return Finding(Level.OK, subject, text)


def note(subject: str, text: str) -> Finding:
    """Something that cannot be judged from here."""
    return Finding(Level.NOTE, subject, text)


def missing(subject: str, wanted: str, found: object) -> Finding:
    """Something is not as it must be."""
    return Finding(Level.ERROR, subject, f"expected {wanted}, found {found}")


def told(findings: Iterable[Finding]) -> bool:
    """Print each, errors on stderr; whether there was no error."""
    good = True
    for finding in findings:
        failed = finding.level is Level.ERROR
        print(finding, file=sys.stderr if failed else sys.stdout, flush=True)
        good = good and not failed
    return good
