"""importaccounts and exportaccounts: other systems' people, all of each or nothing."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils.module_loading import import_string

from django_account.accounts.models import Account
from django_account.accounts.services import authenticate, create_account
from django_account.management.commands.importaccounts import Command
from tests.accounts.vectors import VECTORS
from tests.api.rows import contents, unchanged

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]

FIREBASE = VECTORS["Firebase's own"]
BCRYPT = "$2b$04$9g2hvuR9n5O2UfVugSd7Kur1f4FI3.m5t4sIMjb7xyVDm0JzA4m1O"  # of "correct horse"

APPWRITE = {
    "$id": "eve",
    "name": "Eve",
    "email": "EVE@example.org",
    "phone": "+14155550100",
    "status": False,
    "labels": ["vip"],
    "prefs": {"theme": "dark"},
    "emailVerification": True,
    "phoneVerification": True,
    "registration": "2024-05-06T07:08:09.010+00:00",
    "passwordUpdate": "2025-05-06T07:08:09.010+00:00",
    "password": VECTORS["scrypt"].hashed,
    "hash": "scrypt",
    "hashOptions": {"type": "scrypt", **VECTORS["scrypt"].options},
}
SUPABASE = {
    "id": "4f2c3c1e-9b1d-4f6e-8d2a-1c2b3a4d5e6f",
    "email": "eve@example.org",
    "phone": "14155550100",
    "encrypted_password": BCRYPT,
    "email_confirmed_at": "2024-05-06 07:08:09.01+00",
    "phone_confirmed_at": None,
    "created_at": "2024-05-06 07:08:09.01+00",
    "raw_user_meta_data": {"full_name": "Eve"},
    "banned_until": None,
}
AUTH0 = {
    "_id": {"$oid": "60425dc43519d90068f82973"},
    "email": "eve@example.org",
    "email_verified": True,
    "passwordHash": BCRYPT,
    "name": "Eve",
    "blocked": False,
    "created_at": {"$date": "2024-05-06T07:08:09.010Z"},
}
FIREBASE_ROW = {
    "localId": "eVe0123456789",
    "email": "eve@example.org",
    "emailVerified": True,
    "passwordHash": FIREBASE.hashed.replace("+", "-").replace("/", "_"),
    "salt": FIREBASE.options["salt"],
    "displayName": "Eve",
    "createdAt": "1714979289010",
    "disabled": False,
}


SCRYPT_INFINITE = {
    "salt": "x",
    "costCpu": float("inf"),
    "costMemory": 8,
    "costParallel": 1,
    "length": 64,
}
SCRYPT_DEAR = {**SCRYPT_INFINITE, "costCpu": 2**24}
ARGON2_DEAR = "$argon2id$v=19$m=4194304,t=100,p=1$c2FsdHNhbHQ$" + "a" * 43


def deep(levels: int) -> dict[str, Any]:
    """An object with others in it."""
    return {"a": deep(levels - 1)} if levels else {}


def write(path: Path, rows: list[Any]) -> str:
    """A file of the kind that its name says."""
    if path.suffix == ".json":
        path.write_text(json.dumps({"total": len(rows), "users": rows}))
    elif path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            for row in rows:
                nested = {
                    k: json.dumps(v) if isinstance(v, (dict, list)) else v for k, v in row.items()
                }
                writer.writerow(nested)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def run(*arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("importaccounts", *arguments, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def export(*arguments: str, **options: Any) -> str:
    """What exportaccounts says besides."""
    err = io.StringIO()
    call_command("exportaccounts", *arguments, stderr=err, **options)
    return err.getvalue()


class TestShapes:
    @pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv"])
    @pytest.mark.parametrize(
        ("row", "password", "options"),
        [
            (APPWRITE, "correct horse", {}),
            (SUPABASE, "correct horse", {}),
            (AUTH0, "correct horse", {}),
            (FIREBASE_ROW, "user1password", {"signer_key": FIREBASE.options["signerKey"]}),
        ],
        ids=["appwrite", "supabase", "auth0", "firebase"],
    )
    def test_imported_and_signed_in(
        self, tmp_path: Path, row: Any, password: str, options: Any, suffix: str
    ) -> None:
        if suffix == ".csv" and "_id" in row:
            row = {**row, "_id": row["_id"]["$oid"], "created_at": row["created_at"]["$date"]}
        output = run(write(tmp_path / f"people{suffix}", [row]), **options)
        assert output.startswith("1 created, 0 updated")
        account = Account.objects.get()
        assert (account.email, account.name, account.email_verified) == (
            "eve@example.org",
            "Eve",
            True,
        )
        assert account.registered_at.isoformat() == "2024-05-06T07:08:09.010000+00:00"
        get_user_model().objects.update(is_active=True)
        assert authenticate(email="eve@example.org", password=password) == account

    def test_everything_of_appwrite(self, tmp_path: Path) -> None:
        run(write(tmp_path / "people.jsonl", [APPWRITE]))
        account = Account.objects.get()
        assert (account.public_id, account.phone, account.phone_verified) == (
            "eve",
            "+14155550100",
            True,
        )
        assert (account.labels, account.prefs) == (["vip"], {"theme": "dark"})
        assert account.password_changed_at.isoformat().startswith("2025-05-06")
        assert not account.user.is_active
        assert account.targets.count() == 2

    def test_ids_and_phones_of_others(self, tmp_path: Path) -> None:
        run(write(tmp_path / "people.jsonl", [SUPABASE]))
        account = Account.objects.get()
        assert (account.public_id, account.phone) == (SUPABASE["id"], "+14155550100")
        row = {"user_id": "auth0|abc123", "email": "a@example.org"}
        run(write(tmp_path / "more.jsonl", [row]))
        assert Account.objects.filter(public_id="abc123").exists()


class TestAgain:
    def test_changes_nothing(self, tmp_path: Path) -> None:
        file = write(tmp_path / "people.jsonl", [APPWRITE, {"email": "bob@example.org"}])
        run(file)
        with unchanged():
            assert run(file).startswith("0 created, 0 updated, 2 there already")

    def test_after_a_stop_goes_on(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Command, "BATCH", 5)
        rows = [{"$id": f"p{number}"} for number in range(12)]
        run(write(tmp_path / "some.jsonl", rows[:7]))
        file = write(tmp_path / "all.jsonl", rows)
        assert run(file, skip=6).startswith("5 created, 0 updated, 1 there already")
        assert Account.objects.count() == 12

    def test_after_a_kill_goes_on(self, tmp_path: Path) -> None:
        """Whom a killed run reached is there whole, and the next run adds the others."""
        database = tmp_path / "db.sqlite3"
        environment = {**os.environ, "DATABASE_URL": f"sqlite:///{database}"}
        environment |= {"DJANGO_SETTINGS_MODULE": "example_project.settings"}

        def manage(*arguments: str) -> list[str]:
            return [sys.executable, str(ROOT / "manage.py"), *arguments]

        def people() -> list[tuple[str, bool, int]]:
            with closing(sqlite3.connect(database, timeout=30)) as opened:
                return opened.execute(
                    "SELECT name, email_verified, "
                    "(SELECT count(*) FROM django_account_target WHERE account_id = a.id) "
                    "FROM django_account_account a"
                ).fetchall()

        subprocess.run(manage("migrate", "-v0"), env=environment, check=True, capture_output=True)
        rows = [
            {**APPWRITE, "$id": f"p{n}", "email": f"p{n}@example.org", "phone": f"+1415555{n:04}"}
            for n in range(1500)
        ]
        importing = manage("importaccounts", write(tmp_path / "people.jsonl", rows))
        with subprocess.Popen(importing, env=environment, stdout=subprocess.PIPE) as process:
            while len(people()) < 100:
                assert process.poll() is None
                time.sleep(0.05)
            process.kill()
        there = len(people())
        assert 100 <= there < len(rows)
        assert set(people()) == {("Eve", True, 2)}
        again = subprocess.run(importing, env=environment, check=True, capture_output=True)
        told = f"{len(rows) - there} created, 0 updated, {there} there already"
        assert again.stdout.decode().startswith(told)
        assert people() == [("Eve", True, 2)] * len(rows)

    def test_difference_is_told_and_left(self, tmp_path: Path) -> None:
        run(write(tmp_path / "people.jsonl", [APPWRITE]))
        file = write(tmp_path / "changed.jsonl", [{**APPWRITE, "name": "Eva", "labels": []}])
        with unchanged():
            output = run(file)
        assert "row 1: eve: name: 'Eve' -> 'Eva'" in output
        assert "row 1: eve: labels: ['vip'] -> []" in output
        assert "1 there and different" in output

    def test_update_never_touches_the_password(self, tmp_path: Path) -> None:
        run(write(tmp_path / "people.jsonl", [APPWRITE]))
        before = get_user_model().objects.get().password
        changed = {**APPWRITE, "name": "Eva", "email": "eva@example.org", "phone": ""}
        changed |= {"status": True, "hash": "md5", "password": VECTORS["md5"].hashed}
        output = run(write(tmp_path / "changed.jsonl", [changed]), update=True)
        assert "0 created, 1 updated" in output
        account = Account.objects.get()
        assert (account.name, account.email, account.phone) == ("Eva", "eva@example.org", None)
        assert account.email_verified
        assert account.user.is_active
        assert account.user.password == before

    def test_dry_run(self, tmp_path: Path) -> None:
        run(write(tmp_path / "people.jsonl", [APPWRITE]))
        changed = {**APPWRITE, "name": "Eva"}
        file = write(tmp_path / "changed.jsonl", [changed, {"$id": "bob"}])
        with unchanged():
            output = run(file, dry_run=True, update=True)
        assert "row 2: + bob" in output
        assert "1 would be created, 1 would be updated" in output

    def test_dry_run_is_refused_what_would_be_refused(self, tmp_path: Path) -> None:
        run(write(tmp_path / "people.jsonl", [APPWRITE, {"$id": "bob"}]))
        rows = [
            {"$id": "ann", "phone": APPWRITE["phone"]},
            {"$id": "bob", "email": "eve@example.org"},
        ]
        file = write(tmp_path / "more.jsonl", rows)
        told = []
        for dry_run in (True, False):
            out = io.StringIO()
            with unchanged(), pytest.raises(CommandError, match="refused"):
                call_command(
                    "importaccounts",
                    file,
                    dry_run=dry_run,
                    update=True,
                    stdout=out,
                    stderr=io.StringIO(),
                )
            told.append(out.getvalue().replace(" would be", ""))
        assert told[0] == told[1]
        assert told[0].count("refused: ") == 2


class TestRefused:
    @pytest.mark.parametrize(
        "row",
        [
            {"$id": "_x"},
            {"$id": "x" * 37},
            {"name": "nobody"},
            {"$id": "x", "email": "no address"},
            {"$id": "x", "phone": "0815"},
            {"$id": "x", "name": "n" * 129},
            {"$id": "x", "labels": ["a-b"]},
            {"$id": "x", "labels": "{"},
            {"$id": "x", "prefs": []},
            {"$id": "x", "password": "$2b$31$" + "a" * 53, "hash": "bcrypt"},
            {"$id": "x", "password": ARGON2_DEAR, "hash": "argon2"},
            {"$id": "x", "password": "$P$U" + "a" * 30, "hash": "phpass"},
            {"$id": "x", "password": "00", "hash": "scrypt", "hashOptions": SCRYPT_DEAR},
            {"$id": "x", "password": "00" * 16, "hash": "scrypt", "hashOptions": {"salt": "x"}},
            {"$id": "x", "password": "rot13$x", "hash": "rot13"},
            {"$id": "x", "email": "taken@example.org"},
            {"localId": "x", "passwordHash": "abcd", "salt": "abcd"},
            {"$id": "x", "labels": ["a"] * 1001},
            {"$id": "x", "name": "\ud800"},
            {"$id": "x", "prefs": {"a": "\x00"}},
            {"$id": "x", "prefs": {"a": "\ud800"}},
            {"$id": "x", "prefs": {"a": float("nan")}},
            {"$id": "x", "prefs": {"a": "b" * 65536}},
            {"$id": "x", "prefs": deep(31)},
            {"$id": "x", "prefs": "[" * 100_000},
            {"$id": "x", "password": "0" * 2048, "hash": "md5"},
            {"$id": "x", "password": "a\x00b", "hash": "md5"},
            {"$id": "x", "password": "00" * 16, "hash": "scrypt", "hashOptions": SCRYPT_INFINITE},
            # Django's own kinds.
            {"$id": "x", "password": "pbkdf2_sha256$2000000000$salt$aGFzaA==", "hash": "pbkdf2"},
            {"$id": "x", "password": "pbkdf2_sha256$1000", "hash": "pbkdf2"},
            {
                "$id": "x",
                "password": "scrypt$1073741824$salt$8$1$aGFzaA==",
                "hash": "django",
            },
            {"$id": "x", "password": "bcrypt_sha256$$2b$31$" + "a" * 53, "hash": "bcrypt_sha256"},
            {"$id": "x", "password": f"argon2{ARGON2_DEAR}", "hash": "django"},
            {"$id": "x", "password": "foreign$taken", "hash": "django"},
            5,
            None,
        ],
        ids=lambda row: str(row)[:60],
    )
    def test_row_is_told_and_the_others_imported(
        self, tmp_path: Path, row: Any, settings: Any
    ) -> None:
        settings.PASSWORD_HASHERS = [
            *settings.PASSWORD_HASHERS,
            "django.contrib.auth.hashers.PBKDF2PasswordHasher",
            "django.contrib.auth.hashers.ScryptPasswordHasher",
            "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
        ]
        create_account(account_id="taken", email="taken@example.org")
        file = write(tmp_path / "people.jsonl", [{"$id": "a"}, row, {"$id": "b"}])
        out = io.StringIO()
        if row == {"$id": "x", "prefs": []}:
            run(file)
            return
        with pytest.raises(CommandError):
            call_command("importaccounts", file, stdout=out, stderr=io.StringIO())
        assert re.search(r"^row 2: refused: \S", out.getvalue(), re.MULTILINE)
        assert set(Account.objects.values_list("public_id", flat=True)) == {"taken", "a", "b"}
        assert get_user_model().objects.count() == 3

    @pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
    def test_moments_beyond_time_are_none(self, tmp_path: Path, moment: str) -> None:
        run(write(tmp_path / "people.jsonl", [{"$id": "a", "registration": moment}]))
        assert Account.objects.get().registered_at.year > 2000

    def test_bytes_that_are_no_text(self, tmp_path: Path) -> None:
        path = tmp_path / "people.jsonl"
        path.write_bytes(b'{"$id": "a"}\n{"$id": "x", "name": "\xff"}\n{"$id": "b"}\n')
        with pytest.raises(CommandError, match="refused"):
            run(str(path))
        assert set(Account.objects.values_list("public_id", flat=True)) == {"a", "b"}

    def test_csv_that_is_none(self, tmp_path: Path) -> None:
        path = tmp_path / "people.csv"
        path.write_text("$id,name\na," + "n" * 2**21 + "\n")
        with pytest.raises(CommandError, match="no CSV"):
            run(str(path))

    def test_hash_of_a_kind_that_only_django_knows(self, tmp_path: Path, settings: Any) -> None:
        for number, name in enumerate(["PBKDF2", "Scrypt", "BCryptSHA256", "Argon2"]):
            hasher = f"django.contrib.auth.hashers.{name}PasswordHasher"
            settings.PASSWORD_HASHERS = [*settings.PASSWORD_HASHERS, hasher]
            hashed = make_password("correct horse", hasher=import_string(hasher).algorithm)
            row = {"email": f"{number}@example.org", "password": hashed, "hash": "django"}
            run(write(tmp_path / "people.jsonl", [row]))
            assert authenticate(email=row["email"], password="correct horse")

    def test_never_half_a_person(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*arguments: Any, **options: Any) -> None:
            raise RuntimeError("the power went out")

        monkeypatch.setattr("django_account.administration.imports.users.save", broken)
        with unchanged(), pytest.raises(RuntimeError):
            run(write(tmp_path / "people.jsonl", [APPWRITE]))

    def test_progress_bar_on_a_terminal(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file, err = (
            write(tmp_path / "people.jsonl", [{"$id": f"p{n}"} for n in range(4)]),
            io.StringIO(),
        )
        monkeypatch.setattr(Command, "BATCH", 2)
        monkeypatch.setattr("sys.stderr.isatty", lambda: True)
        call_command("importaccounts", file, stdout=io.StringIO(), stderr=err)
        assert re.findall(r"\] +(\d+)% (\d+) rows", err.getvalue())[-1] == ("100", "4")

    def test_no_file(self, tmp_path: Path) -> None:
        for arguments in ([], [str(tmp_path / "none.jsonl")]):
            with pytest.raises(CommandError):
                run(*arguments)

    def test_json_that_is_no_list(self, tmp_path: Path) -> None:
        path = tmp_path / "people.json"
        path.write_text("{}")
        with pytest.raises(CommandError):
            run(str(path))


class TestAllauth:
    @pytest.fixture
    def table(self) -> Iterator[None]:
        """What django-allauth leaves behind."""
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE account_emailaddress "
                "(id integer, user_id integer, email varchar(254), verified bool)"
            )
        yield
        if not connection.features.can_rollback_ddl:
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE account_emailaddress")

    def test_verified_addresses(self, table: None) -> None:
        users = [
            get_user_model().objects.create_user(name, f"{name}@Example.org", "correct horse")
            for name in ("ada", "bob")
        ]
        with connection.cursor() as cursor:
            for user, verified in zip(users, ("1", "0"), strict=True):
                cursor.execute(
                    "INSERT INTO account_emailaddress VALUES (%s, %s, %s, %s)",
                    [user.pk, user.pk, user.email, verified == "1"],
                )
        with unchanged():
            assert "2 would be created" in run(allauth=True, dry_run=True)
        assert "2 created, 1 updated" in run(allauth=True)
        verified = dict(Account.objects.values_list("email", "email_verified"))
        assert verified == {"ada@example.org": True, "bob@example.org": False}
        with unchanged():
            assert run(allauth=True).startswith("0 created, 0 updated")
        Account.objects.update(email_verified=False)
        assert "0 created, 1 updated" in run(allauth=True)
        assert authenticate(email="ada@example.org", password="correct horse")

    def test_without_its_tables(self) -> None:
        with pytest.raises(CommandError):
            run(allauth=True)


class TestExport:
    @pytest.mark.parametrize("kind", ["jsonl", "csv"])
    def test_comes_back_as_it_went(self, tmp_path: Path, kind: str) -> None:
        run(
            write(
                tmp_path / "people.jsonl",
                [APPWRITE, SUPABASE | {"email": "s@example.org", "phone": ""}],
            )
        )
        create_account(account_id="plain", password="correct horse", name='quo"te,\n')
        before = contents()
        file = tmp_path / f"export.{kind}"
        export(str(file), format=kind, passwords=True)
        assert file.stat().st_mode & 0o077 == 0
        with unchanged():
            assert run(str(file)).startswith("0 created, 0 updated, 3 there already")
        get_user_model().objects.all().delete()
        assert run(str(file)).startswith("3 created")
        ignored = {"id", "account_id", "user_id", "username", "created_at", "updated_at"}
        ignored |= {"accessed_at", "date_joined", "public_id", "password", "password_changed_at"}
        # To the millisecond, as the wire has it.
        ignored |= {"registered_at"}
        for model, rows in contents().items():
            for old, new in zip(before[model], rows, strict=True):
                kept = old.keys() - ignored
                assert {k: new[k] for k in kept} == {k: old[k] for k in kept}
        account = Account.objects.get(public_id="plain")
        assert account.user.check_password("correct horse")

    def test_a_file_that_was_there_is_closed_to_others(self, tmp_path: Path) -> None:
        file = tmp_path / "export.jsonl"
        file.touch(mode=0o644)
        export(str(file))
        assert file.stat().st_mode & 0o077 == 0

    @pytest.mark.parametrize("kind", ["jsonl", "csv"])
    def test_nothing_secret_unasked(self, tmp_path: Path, kind: str) -> None:
        run(write(tmp_path / "people.jsonl", [APPWRITE]))
        file = tmp_path / f"export.{kind}"
        assert export(str(file), format=kind) == ""
        assert file.stat().st_mode & 0o077 == 0
        text = file.read_text()
        assert APPWRITE["password"] not in text
        assert not {"password", "hash", "hashOptions"} & set(re.findall(r"\w+", text))
        with unchanged():
            assert run(str(file)).startswith("0 created, 0 updated, 1 there already")
        get_user_model().objects.all().delete()
        assert run(str(file)).startswith("1 created")
        account = Account.objects.get(public_id="eve")
        assert (account.name, account.labels) == ("Eve", ["vip"])
        # Somebody without a password: none is asked for when they set one.
        assert account.password_changed_at is None
        assert not account.user.has_usable_password()

    def test_asked_for_hashes_it_warns(self, capsys: pytest.CaptureFixture[str]) -> None:
        account = create_account(account_id="plain", password="correct horse")
        warning = export(passwords=True)
        assert "hashes of passwords" in warning
        row = json.loads(capsys.readouterr().out)
        assert row["$id"] == account.public_id
        assert {"password", "hash", "hashOptions"} <= set(row)
        assert row["password"] not in warning
