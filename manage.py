#!/usr/bin/env python
"""Runs the example site's commands; `manage.py test` runs the test suite with pytest."""

import os
import sys


def main() -> None:
    """Hand `test` to pytest with its arguments, anything else to Django."""
    if sys.argv[1:2] == ["test"]:
        import pytest

        raise SystemExit(pytest.main(sys.argv[2:]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
