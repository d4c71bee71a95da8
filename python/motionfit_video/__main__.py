"""``python -m motionfit_video``."""

from .cli import main

raise SystemExit(main())
