"""Set Django up as in production, then measure."""

import django

django.setup()

from benchmarks.measure import main  # noqa: E402

main()
