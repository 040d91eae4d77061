"""Which IP addresses a fetcher may connect to: public unicast ones, and nothing that only looks public.

Python's `is_global` answers another question (is the address routable) and calls 168.63.129.16, 64:ff9b::7f00:1 and
2002:7f00:1:: global, so the registries stand here as tables and the answer does not change with the interpreter.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

IANA_IPV4_SPECIAL_PURPOSE = (
    ("0.0.0.0/8", "this network"),
    ("0.0.0.0/32", "this host on this network"),
    ("10.0.0.0/8", "private use"),
    ("100.64.0.0/10", "shared address space; Alibaba's metadata at 100.100.100.200"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link local; metadata of AWS, GCP, Azure and ECS"),
    ("172.16.0.0/12", "private use"),
    ("192.0.0.0/24", "IETF protocol assignments; Oracle's metadata at 192.0.0.192"),
    ("192.0.0.0/29", "IPv4 service continuity prefix"),
    ("192.0.0.8/32", "IPv4 dummy address"),
    ("192.0.0.9/32", "port control protocol anycast"),
    ("192.0.0.10/32", "traversal using relays around NAT anycast"),
    ("192.0.0.170/31", "NAT64/DNS64 discovery"),
    ("192.0.2.0/24", "documentation (TEST-NET-1)"),
    ("192.31.196.0/24", "AS112-v4"),
    ("192.52.193.0/24", "AMT"),
    ("192.88.99.0/24", "deprecated 6to4 relay anycast"),
    ("192.88.99.2/32", "6a44 relay anycast"),
    ("192.168.0.0/16", "private use"),
    ("192.175.48.0/24", "direct delegation AS112 service"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation (TEST-NET-2)"),
    ("203.0.113.0/24", "documentation (TEST-NET-3)"),
    ("240.0.0.0/4", "reserved"),
    ("255.255.255.255/32", "limited broadcast"),
)
"""https://www.iana.org/assignments/iana-ipv4-special-registry, as of 2026-08-22.

Whole: also the rows that IANA calls globally reachable, since no photo lives behind a relay or a DNS sink."""

IANA_IPV6_SPECIAL_PURPOSE = (
    ("::1/128", "loopback"),
    ("::/128", "unspecified"),
    ("::ffff:0:0/96", "IPv4-mapped"),
    ("64:ff9b::/96", "IPv4-IPv6 translation, well-known prefix"),
    ("64:ff9b:1::/48", "IPv4-IPv6 translation, local use"),
    ("100::/64", "discard only"),
    ("100:0:0:1::/64", "dummy prefix"),
    ("2001::/23", "IETF protocol assignments"),
    ("2001::/32", "Teredo"),
    ("2001:1::1/128", "port control protocol anycast"),
    ("2001:1::2/128", "traversal using relays around NAT anycast"),
    ("2001:1::3/128", "DNS-SD service registration anycast"),
    ("2001:2::/48", "benchmarking"),
    ("2001:3::/32", "AMT"),
    ("2001:4:112::/48", "AS112-v6"),
    ("2001:10::/28", "deprecated ORCHID"),
    ("2001:20::/28", "ORCHIDv2"),
    ("2001:30::/28", "drone remote ID entity tags"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "6to4"),
    ("2620:4f:8000::/48", "direct delegation AS112 service"),
    ("3fff::/20", "documentation"),
    ("5f00::/16", "segment routing SIDs"),
    ("fc00::/7", "unique local; AWS's metadata at fd00:ec2::254"),
    ("fe80::/10", "link local"),
)
"""https://www.iana.org/assignments/iana-ipv6-special-registry, as of 2026-08-22. Whole, as for IPv4."""

OUTSIDE_THE_REGISTRIES = (
    ("224.0.0.0/4", "multicast (RFC 5771)"),
    ("168.63.129.16/32", "Azure WireServer, public in form, reached from inside the host only"),
)

GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that IANA hands out for unicast (RFC 4291); multicast and site-local lie outside it."""

_SPECIAL = tuple(
    ip_network(row[0]) for row in IANA_IPV4_SPECIAL_PURPOSE + IANA_IPV6_SPECIAL_PURPOSE + OUTSIDE_THE_REGISTRIES
)

_ALL_ONES = 0xFFFFFFFF

_EMBEDDINGS = (
    (IPv6Network("::/96"), 0, 0),  # IPv4-compatible, RFC 4291
    (IPv6Network("::ffff:0:0/96"), 0, 0),  # IPv4-mapped, RFC 4291
    (IPv6Network("::ffff:0:0:0/96"), 0, 0),  # IPv4-translated, RFC 2765
    (IPv6Network("64:ff9b::/96"), 0, 0),  # NAT64, RFC 6052
    (IPv6Network("64:ff9b:1::/48"), 0, 0),  # NAT64 for local use, RFC 8215
    (IPv6Network("2002::/16"), 80, 0),  # 6to4, RFC 3056
    (IPv6Network("2001::/32"), 64, 0),  # Teredo's server, RFC 4380
    (IPv6Network("2001::/32"), 0, _ALL_ONES),  # Teredo's client, stored inverted
)
"""Prefix, how many bits stand right of the IPv4 address, and the mask that it is stored under."""

_ISATAP_MASK, _ISATAP = 0xFCFFFFFF, 0x00005EFE  # RFC 5214: the bits u and g may be anything


def embedded_ipv4(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses where a packet to this address may come out at the end of a tunnel or translation."""
    bits = int(address)
    found = [IPv4Address((bits >> shift & _ALL_ONES) ^ mask) for net, shift, mask in _EMBEDDINGS if address in net]
    if bits >> 32 & _ISATAP_MASK == _ISATAP:
        found.append(IPv4Address(bits & _ALL_ONES))
    return tuple(found)


def is_public(address: IPAddress, denied_networks: tuple[IPNetwork, ...] = ()) -> bool:
    """Whether the address, and every IPv4 address inside it, is public unicast and in none of `denied_networks`."""
    if any(address in network for network in _SPECIAL + denied_networks):
        return False
    if isinstance(address, IPv4Address):
        return True
    return address in GLOBAL_UNICAST and all(is_public(inner, denied_networks) for inner in embedded_ipv4(address))
