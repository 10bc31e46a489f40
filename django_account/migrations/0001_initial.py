import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import django_account.core.fields
import django_account.core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="What the key is for, so that it can be told apart.",
                        max_length=128,
                        verbose_name="name",
                    ),
                ),
                (
                    "secret_digest",
                    django_account.core.fields.ExactCharField(
                        editable=False, max_length=64, unique=True
                    ),
                ),
                ("scopes", models.JSONField(default=list, verbose_name="scopes")),
                (
                    "expires_at",
                    models.DateTimeField(
                        blank=True, help_text="Empty: never.", null=True, verbose_name="expiry"
                    ),
                ),
                (
                    "accessed_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="To the day.",
                        null=True,
                        verbose_name="last used",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created"
                    ),
                ),
            ],
            options={
                "verbose_name": "API key",
                "verbose_name_plural": "API keys",
            },
        ),
        migrations.CreateModel(
            name="CacheEntry",
            fields=[
                (
                    "key",
                    django_account.core.fields.ExactCharField(
                        max_length=64, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.BigIntegerField(null=True)),
                ("pickled", models.BinaryField(null=True)),
                ("expires_at", models.BigIntegerField(db_index=True)),
            ],
            options={
                "verbose_name": "rate limit",
                "verbose_name_plural": "rate limits",
                "permissions": [("reset_rate_limits", "Can reset rate limits")],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="GuessCount",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("count", models.PositiveSmallIntegerField(default=0)),
                ("since", models.DateTimeField()),
            ],
            options={
                "verbose_name": "wrong answers",
                "verbose_name_plural": "wrong answers",
            },
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    django_account.core.fields.ExactCharField(
                        default=django_account.core.ids.unique_id,
                        max_length=36,
                        unique=True,
                        verbose_name="public id",
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=128, verbose_name="name")),
                (
                    "email",
                    models.EmailField(
                        blank=True, max_length=254, null=True, unique=True, verbose_name="e-mail"
                    ),
                ),
                (
                    "email_verified",
                    models.BooleanField(default=False, verbose_name="e-mail verified"),
                ),
                (
                    "phone",
                    models.CharField(
                        blank=True, max_length=16, null=True, unique=True, verbose_name="phone"
                    ),
                ),
                (
                    "phone_verified",
                    models.BooleanField(default=False, verbose_name="phone verified"),
                ),
                ("labels", models.JSONField(blank=True, default=list, verbose_name="labels")),
                ("prefs", models.JSONField(blank=True, default=dict, verbose_name="preferences")),
                ("mfa_enabled", models.BooleanField(default=False)),
                ("totp_verified", models.BooleanField(default=False, editable=False)),
                ("impersonator", models.BooleanField(default=False)),
                ("password_changed_at", models.DateTimeField(blank=True, null=True)),
                ("imported_hash", models.TextField(blank=True, default="", editable=False)),
                ("password_history", models.JSONField(blank=True, default=list, editable=False)),
                ("password_reset_required", models.BooleanField(default=False)),
                (
                    "registered_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="registered"
                    ),
                ),
                ("accessed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="django_account",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "account",
                "verbose_name_plural": "accounts",
                "permissions": [
                    ("anonymise_account", "Can anonymise an account"),
                    ("block_account", "Can block and unblock an account"),
                    ("end_sessions_account", "Can end an account's sessions"),
                    ("export_account", "Can export an account's data"),
                    ("impersonate_account", "Can act as another person"),
                    ("require_password_account", "Can require a new password of an account"),
                    ("reset_mfa_account", "Can reset an account's second factors"),
                    ("send_recovery_account", "Can send a recovery to an account"),
                    ("send_verification_account", "Can send a verification to an account"),
                    ("set_password_account", "Can set an account's password"),
                    ("unlink_identity_account", "Can unlink an account's identities"),
                    ("verify_account", "Can say whether an account's addresses are verified"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Authenticator",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="The human-readable name of this device.", max_length=64
                    ),
                ),
                (
                    "confirmed",
                    models.BooleanField(default=True, help_text="Is this device ready for use?"),
                ),
                (
                    "type",
                    models.CharField(choices=[("totp", "Totp")], default="totp", max_length=16),
                ),
                (
                    "seed",
                    django_account.core.fields.SealedField(editable=False, purpose="totp-seed"),
                ),
                ("last_step", models.BigIntegerField(default=0, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="django_account_authenticators",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "authenticator",
                "verbose_name_plural": "authenticators",
            },
        ),
        migrations.CreateModel(
            name="Challenge",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    django_account.core.fields.ExactCharField(
                        default=django_account.core.ids.unique_id, max_length=36, unique=True
                    ),
                ),
                ("session_public_id", django_account.core.fields.ExactCharField(max_length=36)),
                ("factor", models.CharField(max_length=32)),
                (
                    "code_digest",
                    django_account.core.fields.ExactCharField(
                        blank=True, editable=False, max_length=64
                    ),
                ),
                ("address", models.CharField(blank=True, max_length=254)),
                (
                    "sealed_code",
                    django_account.core.fields.SealedField(
                        blank=True, editable=False, purpose="mfa-challenge"
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="challenges",
                        to="django_account.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "challenge",
                "verbose_name_plural": "challenges",
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=32, verbose_name="kind")),
                (
                    "channel",
                    models.CharField(
                        choices=[("email", "E-mail"), ("sms", "SMS")],
                        max_length=8,
                        verbose_name="channel",
                    ),
                ),
                ("recipient", models.CharField(max_length=254, verbose_name="recipient")),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("sent", "Sent"), ("failed", "Failed")],
                        default="waiting",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0, verbose_name="tries")),
                ("error", models.CharField(blank=True, max_length=500, verbose_name="error")),
                (
                    "payload",
                    django_account.core.fields.SealedField(
                        blank=True, editable=False, purpose="delivery"
                    ),
                ),
                (
                    "next_try_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="next try"
                    ),
                ),
                ("expires_at", models.DateTimeField(verbose_name="expiry")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_index=True,
                        default=django.utils.timezone.now,
                        editable=False,
                        verbose_name="time",
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="last change")),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="django_account.account",
                        verbose_name="account",
                    ),
                ),
            ],
            options={
                "verbose_name": "delivery",
                "verbose_name_plural": "deliveries",
            },
        ),
        migrations.CreateModel(
            name="Identity",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "sealed_access_token",
                    django_account.core.fields.SealedField(
                        blank=True, editable=False, purpose="provider-token"
                    ),
                ),
                (
                    "sealed_refresh_token",
                    django_account.core.fields.SealedField(
                        blank=True, editable=False, purpose="provider-token"
                    ),
                ),
                (
                    "provider_token_expires_at",
                    models.DateTimeField(blank=True, editable=False, null=True),
                ),
                (
                    "public_id",
                    django_account.core.fields.ExactCharField(
                        default=django_account.core.ids.unique_id, max_length=36, unique=True
                    ),
                ),
                ("provider", django_account.core.fields.ExactCharField(max_length=32)),
                ("provider_uid", django_account.core.fields.ExactCharField(max_length=255)),
                ("provider_email", models.CharField(blank=True, db_index=True, max_length=254)),
                ("email_verified", models.BooleanField(default=False)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="identities",
                        to="django_account.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "identity",
                "verbose_name_plural": "identities",
            },
        ),
        migrations.CreateModel(
            name="OAuth2Provider",
            fields=[],
            options={
                "verbose_name": "OAuth2 provider",
                "verbose_name_plural": "OAuth2 providers",
                "proxy": True,
                "default_permissions": ("view",),
                "indexes": [],
                "constraints": [],
            },
            bases=("django_account.identity",),
        ),
        migrations.CreateModel(
            name="LogEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("event", models.CharField(max_length=32, verbose_name="event")),
                ("error", models.CharField(blank=True, max_length=64, verbose_name="error")),
                (
                    "at",
                    models.DateTimeField(
                        db_index=True, default=django.utils.timezone.now, verbose_name="time"
                    ),
                ),
                (
                    "account_pk",
                    models.BigIntegerField(blank=True, null=True, verbose_name="account number"),
                ),
                (
                    "user_id",
                    django_account.core.fields.ExactCharField(
                        blank=True, max_length=36, verbose_name="account id"
                    ),
                ),
                (
                    "user_email",
                    models.CharField(blank=True, max_length=254, verbose_name="e-mail address"),
                ),
                (
                    "user_phone",
                    models.CharField(blank=True, max_length=16, verbose_name="phone number"),
                ),
                ("user_name", models.CharField(blank=True, max_length=128, verbose_name="name")),
                ("user_type", models.CharField(max_length=16, verbose_name="done by")),
                ("mode", models.CharField(default="default", max_length=8, verbose_name="mode")),
                ("key_name", models.CharField(blank=True, max_length=128, verbose_name="API key")),
                (
                    "actor_id",
                    django_account.core.fields.ExactCharField(
                        blank=True, max_length=36, verbose_name="impersonator's id"
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                (
                    "session_id",
                    models.CharField(blank=True, max_length=36, verbose_name="session id"),
                ),
                ("provider", models.CharField(blank=True, max_length=32, verbose_name="provider")),
                ("ip", models.CharField(blank=True, max_length=45, verbose_name="IP address")),
                ("user_agent", models.TextField(blank=True, verbose_name="user agent")),
                ("client", models.JSONField(blank=True, default=list, editable=False)),
                ("country_code", models.CharField(default="--", max_length=2)),
            ],
            options={
                "verbose_name": "log entry",
                "verbose_name_plural": "log entries",
                "indexes": [
                    models.Index(fields=["user_id", "account_pk", "-id"], name="log_of_account"),
                    models.Index(fields=["user_email"], name="log_by_email"),
                    models.Index(fields=["ip"], name="log_by_ip"),
                    models.Index(
                        condition=models.Q(("actor_id", ""), _negated=True),
                        fields=["actor_id"],
                        name="log_by_actor",
                    ),
                    models.Index(fields=["event", "-id"], name="log_by_event"),
                    models.Index(
                        condition=models.Q(("error", ""), _negated=True),
                        fields=["-id"],
                        name="log_of_failures",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OAuth2Flow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state_digest",
                    django_account.core.fields.ExactCharField(
                        editable=False, max_length=64, unique=True
                    ),
                ),
                (
                    "browser_digest",
                    django_account.core.fields.ExactCharField(
                        blank=True, editable=False, max_length=64
                    ),
                ),
                ("provider", django_account.core.fields.ExactCharField(max_length=32)),
                (
                    "kind",
                    models.CharField(
                        choices=[("session", "Session"), ("token", "Token")], max_length=8
                    ),
                ),
                (
                    "sealed",
                    django_account.core.fields.SealedField(editable=False, purpose="oauth2-flow"),
                ),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="django_account.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "sign-in under way",
                "verbose_name_plural": "sign-ins under way",
            },
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                (
                    "sealed",
                    django_account.core.fields.SealedField(editable=False, purpose="recovery-code"),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recovery_codes",
                        to="django_account.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "recovery code",
                "verbose_name_plural": "recovery codes",
            },
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "sealed_access_token",
                    django_account.core.fields.SealedField(
                        blank=True, editable=False, purpose="provider-token"
                    ),
                ),
                (
                    "sealed_refresh_token",
                    django_account.core.fields.SealedField(
                        blank=True, editable=False, purpose="provider-token"
                    ),
                ),
                (
                    "provider_token_expires_at",
                    models.DateTimeField(blank=True, editable=False, null=True),
                ),
                (
                    "public_id",
                    django_account.core.fields.ExactCharField(
                        default=django_account.core.ids.unique_id, max_length=36, unique=True
                    ),
                ),
                (
                    "secret_digest",
                    django_account.core.fields.ExactCharField(
                        editable=False, max_length=64, unique=True
                    ),
                ),
                ("provider", models.CharField(max_length=128)),
                ("provider_uid", models.CharField(blank=True, max_length=2048)),
                ("factors", models.JSONField(default=list)),
                ("mfa_updated_at", models.DateTimeField(blank=True, null=True)),
                ("ip", models.CharField(blank=True, max_length=45)),
                ("user_agent", models.TextField(blank=True)),
                ("client", models.JSONField(default=dict)),
                ("country_code", models.CharField(default="--", max_length=2)),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to="django_account.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
            },
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("hour", models.PositiveSmallIntegerField()),
                ("what", models.CharField(max_length=8)),
                ("detail", django_account.core.fields.ExactCharField(blank=True, max_length=64)),
                ("number", models.PositiveIntegerField(default=0)),
            ],
            options={
                "verbose_name": "overview",
                "verbose_name_plural": "overview",
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("day", "hour", "what", "detail"), name="one_tally_each"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Target",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    django_account.core.fields.ExactCharField(
                        default=django_account.core.ids.unique_id, max_length=36, unique=True
                    ),
                ),
                (
                    "provider_type",
                    models.CharField(
                        choices=[("email", "E-mail"), ("sms", "SMS"), ("push", "Push")],
                        max_length=8,
                    ),
                ),
                (
                    "provider_id",
                    django_account.core.fields.ExactCharField(blank=True, max_length=36, null=True),
                ),
                (
                    "identifier",
                    django_account.core.fields.ExactCharField(max_length=255, unique=True),
                ),
                ("name", models.CharField(blank=True, max_length=128)),
                ("expired", models.BooleanField(default=False)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="targets",
                        to="django_account.account",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="targets",
                        to="django_account.session",
                    ),
                ),
            ],
            options={
                "verbose_name": "target",
                "verbose_name_plural": "targets",
            },
        ),
        migrations.CreateModel(
            name="Token",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    django_account.core.fields.ExactCharField(
                        default=django_account.core.ids.unique_id, max_length=36, unique=True
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("magic-url", "Magic Url"),
                            ("email-code", "Email Code"),
                            ("phone-code", "Phone Code"),
                            ("generic", "Generic"),
                            ("recovery", "Recovery"),
                            ("recovery-code", "Recovery Code"),
                            ("email-verification", "Email Verification"),
                            ("email-verification-code", "Email Verification Code"),
                            ("phone-verification-code", "Phone Verification Code"),
                            ("oauth2", "Oauth2"),
                        ],
                        max_length=32,
                    ),
                ),
                (
                    "secret_digest",
                    django_account.core.fields.ExactCharField(editable=False, max_length=64),
                ),
                ("address", models.CharField(blank=True, max_length=254)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tokens",
                        to="django_account.account",
                    ),
                ),
                (
                    "identity",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="django_account.identity",
                    ),
                ),
            ],
            options={
                "verbose_name": "one-time secret",
                "verbose_name_plural": "one-time secrets",
            },
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(fields=["name", "id"], name="account_by_name"),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(fields=["created_at", "id"], name="account_by_created_at"),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(fields=["updated_at", "id"], name="account_by_updated_at"),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(fields=["registered_at", "id"], name="account_by_registered_at"),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(fields=["email_verified", "id"], name="account_by_email_verified"),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(fields=["phone_verified", "id"], name="account_by_phone_verified"),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(fields=["impersonator", "id"], name="account_by_impersonator"),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(
                condition=models.Q(("mfa_enabled", True)), fields=["id"], name="account_with_mfa"
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("email__isnull", True),
                    models.Q(
                        (
                            "email",
                            django_account.core.fields.Bytes(
                                django.db.models.functions.text.Lower("email")
                            ),
                        ),
                        models.Q(("email", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="account_email_in_normal_form",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("phone", ""), _negated=True), name="account_phone_not_empty"
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("public_id", ""), _negated=True),
                name="account_public_id_not_empty",
            ),
        ),
        migrations.AddConstraint(
            model_name="authenticator",
            constraint=models.UniqueConstraint(
                fields=("user", "type"), name="one_authenticator_of_a_type"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["state", "next_try_at"], name="delivery_due"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["recipient"], name="delivery_by_recipient"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["kind", "-id"], name="delivery_by_kind"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["channel", "-id"], name="delivery_by_channel"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "sent"), _negated=True),
                fields=["-id"],
                name="delivery_not_sent",
            ),
        ),
        migrations.AddConstraint(
            model_name="identity",
            constraint=models.UniqueConstraint(
                fields=("provider", "provider_uid"), name="identity_of_one_person"
            ),
        ),
        migrations.AddConstraint(
            model_name="identity",
            constraint=models.CheckConstraint(
                condition=models.Q(("provider_uid", ""), _negated=True), name="identity_has_a_uid"
            ),
        ),
        migrations.AddConstraint(
            model_name="recoverycode",
            constraint=models.UniqueConstraint(
                fields=("account", "number"), name="one_set_of_recovery_codes"
            ),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["account", "id"], name="session_of_account"),
        ),
        migrations.AddIndex(
            model_name="token",
            index=models.Index(fields=["account", "kind"], name="token_of_account"),
        ),
    ]
