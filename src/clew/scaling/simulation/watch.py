"""CloudWatch alarms as the simulator evaluates them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from clew.scaling.seen import Alarm

    Series = NDArray[np.float64]


class Watch:
    """One alarm on one series of minutes, which is filled in as time goes on.

    Periods are whole and stand side by side from the first minute on. Utilisation is of the shards
    that there are now, since thresholds are recomputed after every change.
    """

    __slots__ = ("_each", "_of_stream", "_periods", "_series", "_upto", "alarm")

    def __init__(self, alarm: Alarm, series: Series) -> None:
        self.alarm = alarm
        self._series = series
        self._each = max(1, alarm.period_s // 60)
        self._periods = series if self._each == 1 else np.zeros(len(series) // self._each + 1)
        self._upto = 0  # periods that are complete
        self._of_stream = alarm.measure == "utilisation"

    def on(self, known: int, shards: int) -> bool:
        """Whether it is in alarm, of what is known of the first ``known`` minutes."""
        alarm, each = self.alarm, self._each
        complete = known // each
        if complete < alarm.of:
            return False
        if each > 1:
            while self._upto < complete:
                at = self._upto * each
                self._periods[self._upto] = self._series[at : at + each].mean()
                self._upto += 1
        threshold = alarm.threshold * shards if self._of_stream else alarm.threshold
        last = self._breaches(float(self._periods[complete - 1]), threshold)
        if alarm.of == 1 or (not last and alarm.points == alarm.of):
            return last
        window = self._periods[complete - alarm.of : complete]
        if alarm.above:
            breaching = int((window >= threshold).sum())
        else:
            breaching = int((window < threshold).sum())
        return breaching >= alarm.points

    def _breaches(self, value: float, threshold: float) -> bool:
        if not self.alarm.above:
            return value < threshold
        return value >= threshold if threshold > 0 else value > threshold
