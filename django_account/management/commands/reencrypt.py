"""``manage.py reencrypt``: bring everything that is encrypted under the present SECRET_KEY."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db.models import Model

from django_account.core.crypto import decrypt, encrypt, is_current
from django_account.core.fields import SealedField


class Command(BaseCommand):
    """It may run beside the site, be stopped, and run again: what is under the present key is left
    alone, and what changes in the meantime is not overwritten."""

    help = (
        "Encrypt authenticator seeds, recovery codes and all else that is encrypted anew, under "
        "SECRET_KEY. Afterwards the old key can leave SECRET_KEY_FALLBACKS."
    )

    BATCH = 1000

    def handle(self, *args: Any, **options: Any) -> None:
        for model in apps.get_app_config("django_account").get_models():
            for field in model._meta.concrete_fields:
                if isinstance(field, SealedField):
                    what = f"{model._meta.verbose_name} {field.name}"
                    done = self.reencrypt(model, field, what)
                    self.stdout.write(
                        f"{what}: {done['anew']} encrypted anew, {done['current']} were already, "
                        f"{done['lost']} cannot be read."
                    )

    def reencrypt(self, model: type[Model], field: SealedField, what: str) -> Counter[str]:
        """One column, batch by batch; returns how many of each outcome."""
        done: Counter[str] = Counter()
        name = field.name
        rows = model._default_manager.exclude(**{name: ""}).order_by("pk").values_list("pk", name)
        batch = list(rows[: self.BATCH])
        while batch:
            for pk, sealed in batch:
                done[self.one(model, field, pk, sealed)] += 1
            if len(batch) == self.BATCH:
                self.stderr.write(f"{what}: {done.total()} so far …")
            batch = list(rows.filter(pk__gt=batch[-1][0])[: self.BATCH])
        return done

    def one(self, model: type[Model], field: SealedField, pk: Any, sealed: str) -> str:
        """One row.

        Returns:
            "anew", "current" or "lost".
        """
        if is_current(sealed, field.purpose):
            return "current"
        try:
            text = decrypt(sealed, field.purpose)
        except ValueError:
            self.stderr.write(f"{model._meta.label} {pk}: no key of this site reads it")
            return "lost"
        # What somebody has changed since was sealed under the present key.
        same = model._default_manager.filter(pk=pk, **{field.name: sealed})
        same.update(**{field.name: encrypt(text, field.purpose)})
        return "anew"
