"""``python -m fer_lightning`` is ``fer``."""

import sys

from fer_lightning.cli import main

sys.exit(main())
