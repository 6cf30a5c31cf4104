"""`python -m training`: the training commands."""

from training.cli import main

raise SystemExit(main())
