"""A pytest plugin: time_machine leaves the process's time zone alone.

Given a moment in UTC it would put the process there, and a host without time zones with it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import time_machine


class Travel(time_machine.travel):
    """Go to a moment, not to its place."""

    def __init__(self, destination: Any, **given: Any) -> None:
        if isinstance(destination, datetime) and destination.tzinfo is not None:
            # Half a microsecond more: the nanoseconds of a float fall short of the moment.
            destination = destination.timestamp() + 5e-7
        super().__init__(destination, **given)


time_machine.travel = Travel  # type: ignore[misc]
