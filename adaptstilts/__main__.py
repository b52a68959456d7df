"""``python -m adaptstilts``."""

import sys

from adaptstilts.cli import main

sys.exit(main())
