"""Finding people by what somebody types (users.md §3.1)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import and_, or_
from typing import Final

from django.db import connections
from django.db.models import Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, StrIndex
from django.db.models.lookups import GreaterThan

from django_account.accounts.models import Account
from django_account.core import phones
from django_account.core.ids import is_unique_id

# What a search for people looks through, besides "label:x".
SEARCHED: Final = ("public_id", "email", "name", "phone")

# Characters of one search.
MAX_TEXT: Final = 256

# Signs that upstream's full-text index gives a meaning of their own (users.md §3.1).
_SIGNS: Final = re.compile(r'[@+\-*()<>~"]')


def search_words(text: str) -> list[str]:
    """The words that a search is for; what stands in double quotes is one."""
    if len(text) > 2 and text[0] == text[-1] == '"':
        phrase = text[1:-1].strip()
        return [phrase] if _SIGNS.sub(" ", phrase).strip() else []
    return _SIGNS.sub(" ", text).split()


def search_condition(text: str, paths: Iterable[str], tagged: Mapping[str, str] | None = None) -> Q:
    """Every word stands somewhere in one of the fields. No words, no rows.

    Args:
        text: what was searched for.
        paths: the fields.
        tagged: fields that hold lists of words, by the tag that a word of theirs is searched with:
            ``label:vip``.
    """
    conditions = []
    for word in search_words(text):
        tag, _, tagged_word = word.partition(":")
        if tagged and tagged_word and tag in tagged:
            conditions.append(holds(tagged[tag], tagged_word))
        else:
            conditions.append(reduce(or_, (Q(**{f"{path}__icontains": word}) for path in paths)))
    return reduce(and_, conditions) if conditions else Q(pk__in=[])


def holds(path: str, item: str) -> Q:
    """Whether a JSON list of words holds one, letter for letter."""
    if connections[Account.objects.db].vendor != "sqlite":
        return Q(**{f"{path}__contains": [item]})
    # SQLite has no such operator. The words have no quotes, so that this finds whole ones only.
    text = Cast(path, TextField())
    return Q(GreaterThan(StrIndex(text, Value(json.dumps(item))), 0))


def find(accounts: QuerySet[Account], text: str, *, most: int) -> QuerySet[Account]:
    """Those of some accounts that staff mean by a text: an id, an address, a number or a part of
    one or of a name; ``label:x`` for a label.

    A whole address, number or generated id is looked up as such. Any other text is looked for
    without an order first, and then only what was found is put in order: a database that expects to
    meet enough rows by walking through an ordered index would walk through all of it for a rare
    word.

    Args:
        text: at most its first 256 characters count.
        most: how many of them may be found before it is cheaper to walk.
    """
    text = text.strip()[:MAX_TEXT]
    exact = (
        Q(email=text.lower())
        if "@" in text
        else Q(phone=text)
        if phones.is_phone(text)
        else (Q(public_id=text) if is_unique_id(text) else None)
    )
    if exact is not None and accounts.filter(exact).exists():
        return accounts.filter(exact)
    condition = search_condition(text, SEARCHED, {"label": "labels"})
    matching = accounts.filter(condition)
    found = list(matching.order_by().values_list("pk", flat=True)[:most])
    return matching if len(found) == most else accounts.filter(pk__in=found)
