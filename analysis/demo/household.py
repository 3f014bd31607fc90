"""The invented household of the demo: who lives there, what they own, what they watch."""

from __future__ import annotations

from dataclasses import dataclass

EMAIL = "robin@example.org"
PASSWORD = "a-made-up-password"  # noqa: S105 - invented, and the demo is about seeing it
USERNAME = "robin.demo"
ACCOUNT_ID = "31415926"
ACCOUNT_UUID = "d3m0d3m0d3m0d3m0"
TOKEN = "demoTOKENdemoTOKEN12"  # noqa: S105 - invented
SERVER_TOKEN = "demoSERVERdemoSRV345"  # noqa: S105 - invented

SERVER_NAME = "robins-shelf"
MACHINE_ID = "d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3"
CERTIFICATE_HASH = "d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3"
LAN_ADDRESS = "192.168.77.10"
PUBLIC_ADDRESS = "203.0.113.24"
SERVER_HOST = f"192-168-77-10.{CERTIFICATE_HASH}.plex.direct"
SERVER_PORT = 32400

CLIENT_ID = "demo-browser-0000000001"
SESSION_ID = "6f0d6f0d-0000-4000-8000-00000000demo"

CLOUD_HOSTS = (
    "plex.tv",
    "analytics.plex.tv",
    "metrics.plex.tv",
    "metadata.provider.plex.tv",
    "o4500000000000000.ingest.sentry.io",
    "pubads.g.doubleclick.net",
)
"""The vendor's hosts and the two third parties (a crash reporter, an advertiser) that the demo stands in for."""


@dataclass(frozen=True, slots=True)
class Film:
    """One invented film."""

    key: str
    title: str
    year: int
    guid: str
    duration: int
    """Exact length, milliseconds."""
    bitrate: int
    """Exact overall bit rate, kbps."""
    watched: int
    """How long the demo watches it, milliseconds."""


FILMS = (
    Film("101", "The Marmalade Horizon", 2031, "plex://movie/d3d3d3d3d3d3d3d3d3d3d101", 5_431_250, 8_123, 97_844),
    Film("102", "Eleven Quiet Lighthouses", 2029, "plex://movie/d3d3d3d3d3d3d3d3d3d3d102", 6_787_410, 11_871, 191_433),
    Film("103", "A Ladder for Winter", 2030, "plex://movie/d3d3d3d3d3d3d3d3d3d3d103", 7_412_639, 7_185, 867_820),
    Film(
        "104", "The Cartographer's Umbrella", 2028, "plex://movie/d3d3d3d3d3d3d3d3d3d3d104", 6_303_806, 16_028, 813_985
    ),
    Film("105", "Seven Borrowed Rivers", 2031, "plex://movie/d3d3d3d3d3d3d3d3d3d3d105", 8_329_552, 15_122, 773_704),
    Film("106", "Copper Kites at Noon", 2027, "plex://movie/d3d3d3d3d3d3d3d3d3d3d106", 7_023_148, 3_475, 578_240),
    Film("107", "The Last Tram to Velloria", 2030, "plex://movie/d3d3d3d3d3d3d3d3d3d3d107", 8_054_606, 7_080, 770_499),
    Film("108", "Gardens under Glass", 2029, "plex://movie/d3d3d3d3d3d3d3d3d3d3d108", 5_017_488, 17_760, 254_470),
)


def to_minute(milliseconds: int) -> int:
    """Milliseconds -> seconds, rounded to the nearest minute, as the statistics of the vendor's web app do it."""
    return round(milliseconds / 60_000) * 60
