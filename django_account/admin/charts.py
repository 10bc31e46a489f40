"""Charts as the admin draws them: numbers laid out for a template's SVG, without any script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.utils.formats import date_format, localize
from django.utils.translation import gettext as _

# Of a column's place in the drawing, and the height of the whole; no pixels, it stretches.
STEP, GAP, HEIGHT = 10, 2, 100


@dataclass(frozen=True, slots=True)
class Column:
    """One bar: where it stands, as SVG wants it, and what it says."""

    x: int
    y: str
    height: str
    label: str
    number: int

    @property
    def text(self) -> str:
        return f"{self.label}: {localize(self.number)}"


@dataclass(frozen=True)
class Columns:
    """Numbers over time.

    Attributes:
        name: for ids in the page.
        title: what is counted.
        starts: the beginnings of hours or days.
        numbers: as many.
    """

    name: str
    title: str
    starts: Sequence[datetime]
    numbers: Sequence[int]

    step = STEP - GAP
    height = HEIGHT
    middle = HEIGHT // 2

    @property
    def width(self) -> int:
        return STEP * len(self.starts) - GAP

    @cached_property
    def total(self) -> int:
        return sum(self.numbers)

    @cached_property
    def top(self) -> int:
        """What the full height stands for: a round number."""
        most = max(self.numbers, default=0)
        steps = (1, 2, 4, 5, 6, 8, 10)
        size: int = 10 ** (len(str(most)) - 1)
        return next(step * size for step in steps if step * size >= most)

    @cached_property
    def is_hourly(self) -> bool:
        return len(self.starts) > 1 and self.starts[1] - self.starts[0] < timedelta(days=1)

    def label(self, start: datetime) -> str:
        """An hour or a day, as people write it."""
        return date_format(start, "H:i" if self.is_hourly else "MONTH_DAY_FORMAT")

    @cached_property
    def columns(self) -> list[Column]:
        """The bars."""
        made = []
        for place, (start, number) in enumerate(zip(self.starts, self.numbers, strict=True)):
            height = HEIGHT * number / self.top
            made.append(
                Column(
                    x=STEP * place,
                    y=f"{HEIGHT - height:.2f}",
                    height=f"{height:.2f}",
                    label=self.label(start),
                    number=number,
                )
            )
        return made

    @property
    def ticks(self) -> list[str]:
        """What stands below: the first, the middle, the last."""
        first, middle, last = self.starts[0], self.starts[len(self.starts) // 2], self.starts[-1]
        return [self.label(first), self.label(middle), self.label(last)]

    @property
    def description(self) -> str:
        """The chart in a sentence."""
        if not self.total:
            return _("None between %(first)s and %(last)s.") % self._ends()
        most = max(self.columns, key=lambda column: column.number)
        values = {
            **self._ends(),
            "total": localize(self.total),
            "when": most.label,
            "most": localize(most.number),
        }
        text = _("%(total)s between %(first)s and %(last)s; most at %(when)s: %(most)s.")
        return text % values

    def _ends(self) -> dict[str, str]:
        return {"first": self.label(self.starts[0]), "last": self.label(self.starts[-1])}


@dataclass(frozen=True, slots=True)
class Share:
    """One row of a breakdown.

    Attributes:
        label: of what.
        number: how many.
        percent: of all.
    """

    label: str
    number: int
    percent: int

    @property
    def text(self) -> str:
        """The part of all, as people write it."""
        return percent_text(self.percent, self.number)


def shares(numbers: dict[str, int], *, most: int, rest: str) -> list[Share]:
    """A breakdown, largest first.

    Args:
        numbers: by label.
        most: so many rows; what is left is one more.
        rest: the label of that one.
    """
    total = sum(numbers.values())
    ranked = sorted(numbers.items(), key=lambda each: (-each[1], each[0]))
    if left := sum(number for _label, number in ranked[most:]):
        ranked = [*ranked[:most], (rest, left)]
    return [Share(label, number, percent(number, total)) for label, number in ranked]


def percent(part: int, whole: int) -> int:
    """A part of a whole; nothing of nothing."""
    return round(100 * part / whole) if whole else 0


def percent_text(value: int, part: int) -> str:
    """A percentage, as people write it; what there is of is never written as nothing."""
    return "< 1 %" if part and not value else f"{localize(value)} %"
