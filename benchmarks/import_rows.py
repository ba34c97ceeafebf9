"""Importing rows against PostgreSQL's own COPY of the same rows: seconds, ratio, memory, growth.

    .venv/bin/python -m config.embedded exec --durable -- .venv/bin/python -m benchmarks.import_rows

Each import is the real command in a process of its own, its start included. Beside it, the rows it
made are copied into empty tables with the same columns, indexes and constraints.
"""

import argparse
import csv
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

import django

django.setup()

from django.apps import apps  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from stdnum.cn import ric  # noqa: E402

from interviews.imports import template  # noqa: E402
from tests.database import without_triggers  # noqa: E402

SIZES = (25_000, 50_000, 100_000)
MOST_RATIO = 12
MOST_MEMORY = 300  # MiB
CHUNK = 1024 * 1024
TABLES = [
    apps.get_model(label)._meta.db_table
    for label in (
        "accounts.User",
        "candidates.Candidate",
        "interviews.Department",
        "interviews.PositionCategory",
        "interviews.Position",
        "interviews.Application",
        "interviews.Interview",
        "interviews.HistoryEntry",
    )
]


@dataclass(frozen=True)
class Measured:
    """One import and the COPY beside it, in seconds; peak memory of the import in MiB."""

    rows: int
    importing: float
    copying: float
    memory: float

    @property
    def ratio(self) -> float:
        return self.importing / self.copying


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=3, help="of each size")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    chosen = parser.parse_args()
    call_command("migrate", verbosity=0)
    with tempfile.TemporaryDirectory() as folder:
        files = {rows: write_file(Path(folder) / f"{rows}.csv", rows) for rows in chosen.sizes}
        measured = [
            measure(path, rows, Path(folder))
            for _ in range(chosen.pairs)
            for rows, path in files.items()
        ]
    print(f"{'rows':>8} {'import s':>9} {'COPY s':>8} {'ratio':>14} {'MiB':>6} {'µs per row':>11}")
    for rows in files:
        print(line(rows, [one for one in measured if one.rows == rows]))
    failed = [
        one.rows
        for one in measured
        if one.rows == max(files) and (one.ratio > MOST_RATIO or one.memory > MOST_MEMORY)
    ]
    sys.exit(f"Above {MOST_RATIO} × COPY or {MOST_MEMORY} MiB: {failed}" if failed else 0)


def line(rows: int, measured: list[Measured]) -> str:
    ratios = sorted(one.ratio for one in measured)
    importing = median(one.importing for one in measured)
    return (
        f"{rows:>8} {importing:>9.2f} {median(one.copying for one in measured):>8.2f}"
        f" {median(ratios):>5.2f} ({ratios[0]:.1f}–{ratios[-1]:.1f})"
        f" {max(one.memory for one in measured):>6.0f} {importing / rows * 1e6:>11.0f}"
    )


def measure(path: Path, rows: int, folder: Path) -> Measured:
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")
    importing, memory = run_import(path)
    stored = apps.get_model("interviews.Interview").objects.count()
    if stored != rows:
        sys.exit(f"{stored} interviews stored of {rows}.")
    return Measured(rows, importing, copy_same_rows(folder), memory)


def run_import(path: Path) -> tuple[float, float]:
    """Seconds and MiB of the command."""
    command = ["manage.py", "import_interviews", str(path), "--mapping", template.MAPPING]
    began = perf_counter()
    pid = os.posix_spawn(sys.executable, [sys.executable, *command], os.environ)
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit("The import failed.")
    return perf_counter() - began, usage.ru_maxrss / 1024


def copy_same_rows(folder: Path) -> float:
    """Seconds COPY takes for what the import left, into empty tables built alike."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS copied CASCADE")
        cursor.execute("CREATE SCHEMA copied")
        for table in TABLES:
            cursor.execute(f"CREATE TABLE copied.{table} (LIKE public.{table} INCLUDING ALL)")
            copy = f"COPY public.{table} TO STDOUT"
            with (folder / table).open("wb") as out, cursor.copy(copy) as rows:
                out.writelines(rows)
        began = perf_counter()
        with transaction.atomic():
            for table in TABLES:
                copy = f"COPY copied.{table} FROM STDIN"
                with (folder / table).open("rb") as data, cursor.copy(copy) as rows:
                    while chunk := data.read(CHUNK):
                        rows.write(chunk)
        return perf_counter() - began


def write_file(path: Path, rows: int) -> Path:
    """A filled-in template: everybody has a number and an address, one in ten an ID number."""
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(template.titles())
        writer.writerows(invented(rows))
    return path


def invented(rows: int) -> Iterator[list[str]]:
    chance = random.Random(20260509)
    for number in range(rows):
        status = chance.choice(["已完成", "已完成", "未到场", "已取消"])
        day = date(2024, 1, 2) + timedelta(days=chance.randrange(600))
        starts_at = f"{day} {chance.randrange(9, 18):02d}:{chance.choice([0, 30]):02d}"
        cells = {
            "number": f"OLD-{number:07d}",
            "name": chance.choice("王李张刘陈杨黄赵") + chance.choice("伟芳娜敏静丽强磊军洋"),
            "mobile": f"1{38 + number % 2}{number:08d}",
            "national_id": id_number(number) if number % 10 == 0 else "",
            "email": f"candidate{number}@mail.example",
            "city": chance.choice(["深圳", "郑州", "成都", "武汉"]),
            "department": f"制造{number % 20}部",
            "position_code": "",
            "position": f"装配技术员{number % 200}",
            "category": chance.choice(["一线", "技术"]),
            "recruiter": "",
            "kind": chance.choice(["AI面试", "现场面试"]),
            "status": status,
            "starts_at": starts_at,
            "minutes": "30",
            "location": "深圳市龙华区人才中心",
            "link": "",
            "interviewer": "",
            "deadline": "",
            "applied_at": f"{day - timedelta(days=5):%Y/%m/%d}",
        }
        yield list(cells.values())


def id_number(number: int) -> str:
    born = date(1980, 1, 1) + timedelta(days=number % 9000)
    body = f"110105{born:%Y%m%d}{number // 9000:03d}"
    return body + str(ric.calc_check_digit(f"{body}0"))


if __name__ == "__main__":
    main()
