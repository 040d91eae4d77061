"""Differential against ssrfguard, whose table is generated from the same registries; and the forms that hide IPv4."""

import random
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ssrfguard import DEFAULT_DENIED

from transformer.addresses import (
    GLOBAL_UNICAST,
    IANA_IPV4_SPECIAL_PURPOSE,
    IANA_IPV6_SPECIAL_PURPOSE,
    IPAddress,
    IPNetwork,
    embedded_ipv4,
    is_public,
)

PRIVATE_IPV4 = ("0.0.0.1", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.31.0.1", "192.168.1.1")

EMBEDDINGS = {
    "compatible": lambda v4: v4,
    "mapped": lambda v4: 0xFFFF << 32 | v4,
    "translated": lambda v4: 0xFFFF << 48 | v4,
    "nat64": lambda v4: int(IPv6Address("64:ff9b::")) | v4,
    "local nat64": lambda v4: int(IPv6Address("64:ff9b:1::")) | v4,
    "6to4": lambda v4: 0x2002 << 112 | v4 << 80,
    "teredo client": lambda v4: int(IPv6Address("2001:0:5db8:d822::")) | v4 ^ 0xFFFFFFFF,
    "teredo server": lambda v4: 0x20010000 << 96 | v4 << 64 | 0xA2472DDD,
    "isatap": lambda v4: int(IPv6Address("2606:2800:220:1::5efe:0:0")) | v4,
    "isatap with u": lambda v4: int(IPv6Address("2606:2800:220:1:200:5efe::")) | v4,
}

STRICTER_THAN_THE_ORACLE = tuple(
    ip_network(network)
    for network in (
        # IANA calls these globally reachable and the oracle lets them pass; no photo lives behind a relay or DNS sink.
        "192.0.0.9/32",
        "192.0.0.10/32",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.175.48.0/24",
        "2001:1::1/128",
        "2001:1::2/128",
        "2001:1::3/128",
        "2001:3::/32",
        "2001:4:112::/48",
        "2001:20::/28",
        "2001:30::/28",
        "2620:4f:8000::/48",
        # Tunnels, which the oracle opens to judge what is inside, whereas we refuse them whole.
        "2001::/32",
        "2002::/16",
        # Reached from inside a virtual machine of Azure only; in no registry, unknown to the oracle.
        "168.63.129.16/32",
    )
)


def is_deliberately_stricter(address: IPAddress) -> bool:
    """Where we refuse and the oracle does not: the networks above, all IPv6 but global unicast, ISATAP inwards."""
    if any(address in network for network in STRICTER_THAN_THE_ORACLE):
        return True
    if isinstance(address, IPv4Address):
        return False
    return address not in GLOBAL_UNICAST or any(DEFAULT_DENIED.classify(inner).blocked for inner in isatap(address))


def isatap(address: IPv6Address) -> tuple[IPv4Address, ...]:
    identifier = f"{int(address) & 0xFFFFFFFF_FFFFFFFF:016x}"
    marked = identifier[:8] in {"00005efe", "01005efe", "02005efe", "03005efe"}
    return (IPv4Address(bytes.fromhex(identifier[8:])),) if marked else ()


def addresses_around(network: IPNetwork, chance: random.Random) -> Iterator[IPAddress]:
    first, last = int(network[0]), int(network[-1])
    top = 2**network.max_prefixlen - 1
    kind = type(network[0])
    inside = [chance.randint(first, last) for _ in range(10)]
    for number in (first - 1, first, first + 1, last - 1, last, last + 1, *inside):
        if 0 <= number <= top:
            yield kind(number)


def interesting_addresses() -> Iterator[IPAddress]:
    chance = random.Random(20260822)
    ours = [ip_network(row[0]) for row in IANA_IPV4_SPECIAL_PURPOSE + IANA_IPV6_SPECIAL_PURPOSE]
    for network in [*ours, *(block.network for block in DEFAULT_DENIED.blocks), GLOBAL_UNICAST]:
        yield from addresses_around(network, chance)
    for _ in range(2000):
        v4 = chance.getrandbits(32)
        yield IPv4Address(v4)
        yield IPv6Address(chance.getrandbits(128))
        yield IPv6Address(1 << 125 | chance.getrandbits(125))
        yield IPv6Address(chance.choice(list(EMBEDDINGS.values()))(v4))


def test_the_verdict_is_the_oracles_except_where_we_are_deliberately_stricter() -> None:
    seen = list(interesting_addresses())
    wrong = [
        address
        for address in seen
        if is_public(address) == (DEFAULT_DENIED.classify(address).blocked or is_deliberately_stricter(address))
    ]
    assert len(seen) > 8000
    assert wrong == []


def test_both_verdicts_are_common_in_the_comparison() -> None:
    verdicts = [is_public(address) for address in interesting_addresses()]
    assert min(verdicts.count(True), verdicts.count(False)) > 2000


def test_the_tables_hold_every_row_that_the_oracle_has_from_the_registries() -> None:
    ours = [ip_network(row[0]) for row in IANA_IPV4_SPECIAL_PURPOSE + IANA_IPV6_SPECIAL_PURPOSE]
    elsewhere = ("::/96", "224.0.0.0/4", "ff00::/8", "fec0::/10")  # from other documents, tested below
    theirs = {block.network for block in DEFAULT_DENIED.blocks} - {ip_network(network) for network in elsewhere}
    assert [net for net in theirs if not any(net.version == n.version and net.subnet_of(n) for n in ours)] == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address",
    [
        *PRIVATE_IPV4,
        "100.100.100.200",  # metadata of Alibaba
        "169.254.170.2",  # ECS
        "192.0.0.192",  # Oracle
        "168.63.129.16",  # Azure
        "fd00:ec2::254",  # AWS
        "224.0.0.1",
        "239.255.255.250",
        "255.255.255.255",
        "192.88.99.1",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "fc00::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "5f00::1",
        "3fff::1",
        "2001:db8::1",
        "4000::1",
    ],
)
def test_an_address_that_is_not_public_unicast_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "168.63.129.15", "2606:4700::1111", "2a00:1450:4001::200e"])
def test_a_public_address_passes(address: str) -> None:
    assert is_public(ip_address(address))


@given(form=st.sampled_from(list(EMBEDDINGS)), v4=st.ip_addresses(v=4))
def test_an_ipv4_address_is_found_in_every_form_that_carries_it(form: str, v4: IPv4Address) -> None:
    assert v4 in embedded_ipv4(IPv6Address(EMBEDDINGS[form](int(v4))))


@pytest.mark.parametrize("form", EMBEDDINGS)
@pytest.mark.parametrize("v4", PRIVATE_IPV4)
def test_a_private_address_is_refused_in_every_form_that_carries_it(form: str, v4: str) -> None:
    assert not is_public(IPv6Address(EMBEDDINGS[form](int(IPv4Address(v4)))))


def test_an_isatap_address_with_a_public_one_inside_passes() -> None:
    assert is_public(IPv6Address("2606:2800:220:1:0:5efe:808:808"))


@pytest.mark.parametrize(
    ("address", "denied"),
    [
        ("8.8.8.8", "8.8.8.0/24"),
        ("2606:4700::1", "2606:4700::/32"),
        ("2606:2800:220:1:0:5efe:808:808", "8.8.8.0/24"),
    ],
)
def test_an_operator_can_deny_more_networks(address: str, denied: str) -> None:
    assert not is_public(ip_address(address), (ip_network(denied),))
    assert is_public(ip_address(address), (ip_network("9.9.9.0/24"),))
