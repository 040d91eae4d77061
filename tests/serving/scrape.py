"""What a server's `/metrics` says, for tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import httpx
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


@dataclass(frozen=True)
class Scrape:
    """The samples of one moment."""

    samples: tuple[Sample, ...]

    @classmethod
    def of(cls, url: str) -> Self:
        return cls.read(httpx.get(f"{url}/metrics", timeout=30).text)

    @classmethod
    def read(cls, text: str) -> Self:
        return cls(tuple(sample for family in text_string_to_metric_families(text) for sample in family.samples))

    def matching(self, name: str, **labels: str) -> Iterator[Sample]:
        """The samples of that name that have these labels, among others."""
        return (each for each in self.samples if each.name == name and labels.items() <= each.labels.items())

    def sum(self, name: str, **labels: str) -> float:
        return sum(each.value for each in self.matching(name, **labels))

    def series(self, name: str, **labels: str) -> int:
        return len(list(self.matching(name, **labels)))

    def values(self, name: str, label: str) -> set[str]:
        """What that label says, over all samples of that name."""
        return {each.labels[label] for each in self.matching(name)}
