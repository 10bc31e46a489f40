"""A host without time zones, far from Greenwich, whose clocks change with the season."""

from tests.settings import *  # noqa: F403

USE_TZ = False
TIME_ZONE = "Pacific/Auckland"
