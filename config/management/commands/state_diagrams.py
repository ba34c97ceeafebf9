"""Draw each status machine into the README of its app."""

import re
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Model
from django_fsm import FSMField


def diagram(field: FSMField) -> str:
    """A Mermaid state diagram of every transition of `field`."""
    moves = sorted(
        {(move.source, move.target, move.name) for move in field.get_all_transitions(field.model)}
    )
    lines = [f"    {source} --> {target}: {name}" for source, target, name in moves]
    start = f"    [*] --> {field.get_default()}"
    return "\n".join(["```mermaid", "stateDiagram-v2", start, *lines, "```"])


def machines() -> list[tuple[type[Model], FSMField]]:
    return [
        (model, field)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, FSMField)
    ]


class Command(BaseCommand):
    help = "Put each status machine between its marks in its app's README (<!-- states: Model -->)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; fail where one is out of date"
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        for model, field in machines():
            path = settings.BASE_DIR / model._meta.app_label / "README.md"
            mark = rf"(<!-- states: {model.__name__} -->\n).*?(\n<!-- end -->)"
            text = path.read_text()
            drawn, count = re.subn(mark, rf"\1{diagram(field)}\2", text, flags=re.DOTALL)
            if not count:
                raise CommandError(f"{path} has no mark for {model.__name__}.")
            if drawn == text:
                continue
            if check:
                raise CommandError(f"{path} is out of date: run `manage.py state_diagrams`.")
            path.write_text(drawn)
            self.stdout.write(f"Drew {model.__name__} into {path.relative_to(settings.BASE_DIR)}")
