"""``python -m motionfit`` is the command ``motionfit``."""

import sys

from . import main

sys.exit(main())
