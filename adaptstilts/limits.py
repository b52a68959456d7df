"""Limits on what comes from elsewhere: downloads, archives, tables and sweeps.

Each is a setting, read when it is needed. A limit is changed by the environment variable ``ADAPTSTILTS_`` and its name
in capitals, which holds for the command line, Python, notebooks and workers alike.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

from adaptstilts.errors import ConfigError, DataError
from adaptstilts.formatting import size_text

_PREFIX = "ADAPTSTILTS_"


@dataclass(frozen=True)
class Limit:
    """One limit.

    Attributes:
        name: In small letters, as in ``most_members``.
        default: In `unit`; above 0.
        unit: As it stands behind the number in the documentation.
        meaning: One sentence.
    """

    name: str
    default: float
    unit: str
    meaning: str

    @property
    def variable(self) -> str:
        """Name of the environment variable that changes it."""
        return f"{_PREFIX}{self.name.upper()}"

    def value(self) -> float:
        """Return the limit that holds now.

        Raises:
            ConfigError: If the environment variable is not a number above 0.
        """
        given = os.environ.get(self.variable)
        if given is None:
            return self.default
        try:
            number = float(given)
        except ValueError:
            number = math.nan
        if not number > 0:
            raise ConfigError(
                f"'{given}' is not a number above 0",
                key=self.variable,
                hint=f"Give a number of {self.unit} (inf for no limit), or unset the variable: the default is "
                f"{self.default:,.0f}. More: adaptstilts docs limits.",
            )
        return number


LEAST_RATE = Limit(
    "least_rate",
    10_000,
    "bytes per second",
    "A download that is slower, as an average over `rate_seconds`, counts as a lost connection.",
)
RATE_SECONDS = Limit("rate_seconds", 60, "seconds", "Time over which `least_rate` is measured.")
MOST_DOWNLOAD_SECONDS = Limit(
    "most_download_seconds", 86_400, "seconds", "Longest time for one file, all attempts together."
)
MOST_UNPACKED_BYTES = Limit(
    "most_unpacked_bytes",
    20 * 2**30,
    "bytes",
    "Most bytes of one download, and most that one archive or compressed file may unpack to.",
)
MOST_MEMBERS = Limit("most_members", 100_000, "members", "Most files and folders in one archive.")
MOST_RATIO = Limit(
    "most_ratio", 200, "times", "Most bytes that may come out of an archive or a table (parquet, Arrow) per byte of it."
)
MOST_VARIANTS = Limit(
    "most_variants",
    2_000,
    "variants",
    "Most variants that the `sweep` of a configuration may have, and most of its `seeds`.",
)

LIMITS = (LEAST_RATE, RATE_SECONDS, MOST_DOWNLOAD_SECONDS, MOST_UNPACKED_BYTES, MOST_MEMBERS, MOST_RATIO, MOST_VARIANTS)
"""All limits, in the order of the documentation."""

_NEVER_A_BOMB = 1 << 20
"""Bytes that any file may unpack to, however small it is."""


class LimitError(DataError):
    """A file breaks a limit; with a larger one it may be read."""


def beyond(path: Path, limit: Limit, problem: str) -> LimitError:
    """Return the error about a file that breaks a limit."""
    hint = f"Do not use it, or, if you know that it is right, set {limit.variable}. More: adaptstilts docs limits."
    return LimitError(problem, path=path, hint=hint)


def check_unpacked(path: Path, unpacked: int, packed: int) -> None:
    """Check how many bytes come out of a file of ``packed`` bytes.

    Raises:
        DataError: If they are more than `MOST_UNPACKED_BYTES` or `MOST_RATIO` allow.
    """
    most, ratio = MOST_UNPACKED_BYTES.value(), MOST_RATIO.value()
    if unpacked > most:
        raise beyond(path, MOST_UNPACKED_BYTES, f"unpacks to more than {size_text(most)}")
    if unpacked > max(ratio * packed, _NEVER_A_BOMB):
        raise beyond(path, MOST_RATIO, f"unpacks to more than {ratio:,g} times its size, as only bombs do")
