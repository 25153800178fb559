"""``python -m jupyter_mlops``: the same as ``jupyter mlops``."""

import sys

from .cli import main

sys.exit(main())
