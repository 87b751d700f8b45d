"""``django-admin migrate`` with one ``RunSQL`` a step."""

from __future__ import annotations

import importlib.util
import sys

from benchmarks.peers.base import Address, Peer, installed, run

SETTINGS = """import os

DATABASES = {"default": {
    "ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"], "HOST": os.environ["PGHOST"],
    "PORT": os.environ["PGPORT"], "USER": os.environ["PGUSER"],
}}
INSTALLED_APPS = ["app"]
USE_TZ = True
"""


class Django(Peer):
    """One app, one migration a step, each needing the one before."""

    name = "Django (process)"
    is_process = True

    def missing(self) -> str | None:
        return None if importlib.util.find_spec("django") else "Django is not installed"

    def version(self) -> str:
        return f"Django {installed('django')}"

    def write(self) -> None:
        migrations = self.folder / "app" / "migrations"
        migrations.mkdir(parents=True)
        (self.folder / "settings.py").write_text(SETTINGS)
        (self.folder / "app" / "__init__.py").write_text("")
        (migrations / "__init__.py").write_text("")
        for number, step in enumerate(self.steps):
            needs = f"[('app', 's{number - 1:05d}')]" if number else "[]"
            (migrations / f"s{number:05d}.py").write_text(
                "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
                f"    dependencies = {needs}\n    operations = [migrations.RunSQL({step!r})]\n"
            )

    def apply(self, url: str) -> None:
        environment = {"DJANGO_SETTINGS_MODULE": "settings", **Address.of(url).as_environment()}
        run([sys.executable, "-m", "django", "migrate", "-v0"], self.folder, environment)
