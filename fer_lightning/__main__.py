"""``python -m fer_lightning`` is ``fer``."""

import sys

from fer_lightning.cli import main

if __name__ == "__main__":  # worker processes import this module again
    sys.exit(main())
