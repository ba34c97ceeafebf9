"""Learn who may need help, or say how well that can be learnt from a file."""

from argparse import ArgumentParser
from pathlib import Path
from statistics import fmean
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from analytics.risk import records, services, training, words
from analytics.risk.evaluation import Evaluation
from interviews.imports import mapping
from interviews.imports.problems import ImportRefused

SEEDS = 5


class Command(BaseCommand):
    help = (
        "Train the models of who may need help. With --evaluate: read a file, keep nothing, and "
        "print how well not appearing is foreseen with a random fifth held out, and the latest."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--evaluate", metavar="FILE", help="CSV or XLSX of past interviews")
        parser.add_argument(
            "--mapping",
            default="attendance",
            help=f"what its columns mean: {', '.join(mapping.shipped())}, or a path to a TOML file",
        )
        parser.add_argument("--seeds", type=int, default=SEEDS, help="how many random fifths")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["evaluate"]:
                self._evaluate(Path(options["evaluate"]), options["mapping"], options["seeds"])
            else:
                self._train()
        except training.NotInstalled as missing:
            raise CommandError(str(words.NOT_INSTALLED)) from missing
        except ImportRefused as refused:
            raise CommandError(str(refused)) from refused
        except OSError as error:
            raise CommandError(
                _("%(file)s cannot be used: %(reason)s.")
                % {"file": error.filename, "reason": error.strerror}
            ) from error

    def _train(self) -> None:
        for model in services.train_all(now=timezone.now()):
            told = f"{model.get_target_display()}\t{model.get_verdict_display()}"
            self.stdout.write(f"{told}\t{model.events} / {model.count}")
            if model.measured:
                self._say(_("the latest fifth"), model.measured)

    def _evaluate(self, path: Path, name: str, seeds: int) -> None:
        examples = records.read(path, name)
        missed = sum(example.happened for example in examples)
        if min(missed, len(examples) - missed) < training.FOLDS * 2:
            raise CommandError(_("The file holds too few interviews to learn from."))
        self.stdout.write(_("%(count)d interviews, %(missed)d missed") % {
            "count": len(examples), "missed": missed
        })  # fmt: skip
        found = []
        for seed in range(seeds):
            known, held_out = training.at_random(examples, seed)
            found.append(training.measure(known, held_out, services.ZONE))
            self._say(_("random fifth, seed %(seed)d") % {"seed": seed}, found[-1])
        if found:
            means = [
                fmean(getattr(each, name) for each in found)
                for name in ("auc", "brier", "accuracy", "base_brier", "base_accuracy")
            ]
            self._line(_("mean"), *means)
        earlier, later = training.in_order(examples)
        self._say(_("the latest fifth"), training.measure(earlier, later, services.ZONE))

    def _say(self, what: str, found: Evaluation) -> None:
        self._line(
            what, found.auc, found.brier, found.accuracy, found.base_brier, found.base_accuracy
        )

    def _line(
        self,
        what: str,
        auc: float,
        brier: float,
        accuracy: float,
        base_brier: float,
        base_accuracy: float,
    ) -> None:
        figures = (
            f"AUC {auc:.3f}\tBrier {brier:.3f} ({base_brier:.3f})"
            f"\taccuracy {accuracy:.3f} ({base_accuracy:.3f})"
        )
        self.stdout.write(f"{what}\t{figures}")
