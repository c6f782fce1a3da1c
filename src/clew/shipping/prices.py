"""What CloudWatch Logs costs. Data, with its source and date.

Check it against https://aws.amazon.com/cloudwatch/pricing/ for your region.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

SOURCE = (
    "https://aws.amazon.com/cloudwatch/pricing/, US East (N. Virginia), standard class, as public"
    " price lists of 2026 quote it"
)
READ_ON = date(2026, 11, 25)
GB = 1024**3


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars a GB."""

    #: Taken in. The first 5 GB of a month are free, and large amounts cost less.
    ingested: float = 0.50
    #: Kept for a month. It is of what is left after compression (archived bytes), which
    #: ``storedBytes`` is not: what is shown from it is the most that it can be.
    stored_month: float = 0.03

    def keeping(self, stored_bytes: int) -> float:
        """What it costs a month to keep so much, at most."""
        return stored_bytes / GB * self.stored_month
