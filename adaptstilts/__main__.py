"""``python -m adaptstilts``."""

import sys

from adaptstilts.cli.main import main

sys.exit(main())
