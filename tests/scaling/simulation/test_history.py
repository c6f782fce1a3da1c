"""Histories from files: what is read, and how it is said where one is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from clew.scaling import ScalingError
from clew.scaling.simulation.history import from_file, with_hot_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Written = Callable[..., Path]

HEADER = "time,IncomingBytes,IncomingRecords\n"


def minutes(number: int = 60, row: str = "600,6") -> str:
    return "".join(f"2026-01-01T{n // 60:02}:{n % 60:02}:00Z,{row}\n" for n in range(number))


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(text: str | bytes, name: str = "load.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_sums_of_minutes_become_rates(written: Written) -> None:
    history = from_file(written(HEADER + minutes()))
    assert len(history.trace) == 60
    assert history.trace.bytes_per_s == pytest.approx(np.full(60, 10.0))
    assert history.trace.records_per_s == pytest.approx(np.full(60, 0.1))
    assert history.trace.start_s == 1767225600
    assert (history.missing, history.step_s, history.sized, history.notes) == (0, 60, True, ())


def test_what_was_refused_was_asked_for_too(written: Written) -> None:
    text = "time,IncomingBytes,IncomingRecords,WriteProvisionedThroughputExceeded\n"
    history = from_file(written(text + minutes(row="600,6,3")))
    # Refused records are as large as those that were accepted: 100 bytes.
    assert history.trace.records_per_s == pytest.approx(np.full(60, 0.15))
    assert history.trace.bytes_per_s == pytest.approx(np.full(60, 15.0))
    assert history.refused == 180
    assert "180 records were refused" in history.notes[0]


def test_missing_minutes_had_nothing_and_are_told(written: Written) -> None:
    rows = minutes(100).splitlines()
    history = from_file(written(HEADER + "\n".join(rows[:10] + rows[12:])))
    assert len(history.trace) == 100
    assert history.trace.bytes_per_s[9:13] == pytest.approx([10, 0, 0, 10])
    assert history.notes == ("2 steps of 100 (2.0%) are missing and count as nothing put.",)


def test_most_minutes_may_be_missing(written: Written) -> None:
    # As of a stream that is used now and then: Kinesis tells nothing of the other minutes.
    rows = "".join(f"{60 * n},60\n" for n in (0, 1, 7, 12, 33, 60))
    history = from_file(written("time,bytes\n" + rows))
    assert (len(history.trace), history.step_s, history.missing) == (61, 60, 55)


def test_longer_steps_keep_their_sums_and_the_size_of_records(written: Written) -> None:
    rows = "".join(f"{1_767_225_600 + 300 * n},{30_000 * (n + 1)},{300}\n" for n in range(24))
    history = from_file(written("time,bytes,records\n" + rows))
    trace = history.trace
    assert (len(trace), history.step_s) == (120, 300)
    assert trace.records_per_s.reshape(24, 5).mean(axis=1) == pytest.approx(1.0, rel=0.2)
    assert trace.bytes_per_s / trace.records_per_s == pytest.approx(
        np.repeat(100.0 * (np.arange(24) + 1), 5)
    )
    assert "made up" in history.notes[0]


def test_another_column_is_a_shape_whose_size_has_to_be_said(written: Written) -> None:
    history = from_file(written("time,requests\n" + minutes(row="5")))
    with pytest.raises(ScalingError, match=r"load\.csv has neither .* say with --peak-shards"):
        history.scaled(None)
    assert history.scaled(3.0).shards().max() == pytest.approx(3.0)


def test_a_graph_that_the_console_saved(written: Written) -> None:
    head = "Full label,orders IncomingBytes\nLabel,IncomingBytes\nId,m1\nStat,Sum\nPeriod,60\n"
    rows = minutes(row="600").replace("T", " ").replace("Z", "").replace("-", "/")
    trace = from_file(written(head + rows, "graph.csv"), record_bytes=100).trace
    assert trace.bytes_per_s == pytest.approx(np.full(60, 10.0))
    assert trace.records_per_s == pytest.approx(np.full(60, 0.1))
    assert trace.name == "graph"


def test_newest_first_semicolons_and_a_byte_order_mark(written: Written) -> None:
    rows = reversed([f"{1_767_225_600_000 + 60_000 * n};{n}" for n in range(60)])
    history = from_file(written("\ufefftime;bytes\n" + "\n".join(rows)))
    assert history.trace.bytes_per_s[-1] == pytest.approx(59 / 60)


def results(**more: object) -> str:
    times = [f"2026-01-01T{n // 60:02}:{n % 60:02}:00+00:00" for n in range(60)]
    found = [
        {"Id": "m1", "Label": "IncomingBytes", "Timestamps": times[::-1], "Values": [600.0] * 60},
        {"Id": "m2", "Label": "IncomingRecords", "Timestamps": times, "Values": [6] * 60},
        {"Id": "m3", "Label": "GetRecords.Bytes", "Timestamps": times, "Values": [9e9] * 60},
    ]
    return json.dumps({"MetricDataResults": found, **more})


def test_an_answer_of_get_metric_data(written: Written) -> None:
    history = from_file(written(results(NextToken="more"), "answer.json"))
    assert history.trace.bytes_per_s == pytest.approx(np.full(60, 10.0))
    assert history.trace.records_per_s == pytest.approx(np.full(60, 0.1))
    assert "one page of several" in history.notes[0]


def test_an_answer_of_get_metric_statistics(written: Written) -> None:
    points = [{"Timestamp": f"2026-01-01T00:{n:02}:00Z", "Sum": 60.0} for n in range(60)]
    answer = {"Label": "IncomingRecords", "Datapoints": points[::-1]}
    trace = from_file(written(json.dumps(answer), "a.json"), record_bytes=10).trace
    assert trace.records_per_s == pytest.approx(np.full(60, 1.0))
    assert trace.bytes_per_s == pytest.approx(np.full(60, 10.0))


def test_json_without_a_bottom_is_told(written: Written) -> None:
    with pytest.raises(ScalingError, match="nested too deeply"):
        from_file(written("[" * 100_000, "a.json"))


T0, T1, T2 = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        (b"\x89PNG\xff\xfe\x00", r"is no text \(byte 1\)"),
        ("hello world\n", "line 1 has one column"),
        ("Dear all, this is\nnot, a csv\n", "line 1 is no CSV of a load.*'Dear all'"),
        (HEADER, "line 1 is no CSV of a load"),
        ('time,bytes\n"2026-01-01,1\n', "line 2 is no CSV"),
        (f"{HEADER}{T0},1,1\n{T2},1,1\n{T1},1,1\n", "line 4 is of a time before that of line 3"),
        (f"{HEADER}{T0},1,1\n{T1},1,1\n{T1},1,1\n", "line 4 has the same time as line 3"),
        (f"{HEADER}{T0},1,1\n{T1},-3,1\n", "line 3 has '-3': less than nothing"),
        (f"{HEADER}{T0},1,1\n{T1},NaN,1\n", "line 3 has 'NaN', which is no number to go by"),
        (f"{HEADER}{T0},1,1\n{T1},1,inf\n", "line 3 has 'inf'"),
        (f"{HEADER}{T0},1,1\n{T1},lots,1\n", "line 3 has 'lots' where a number has to be"),
        (f"{HEADER}{T0},1,1\nyesterday,3,1\n", "line 3 begins with 'yesterday'"),
        (f"time,CPUUtilization (%)\n{T0},1\n", "line 1: .* has percentages"),
        (f"time,load\n{T0},1%\n{T1},2%\n", "line 2 has '1%'.*percentages are no load"),
        (f"time,WriteProvisionedThroughputExceeded\n{T0},1\n", "not what was accepted"),
        (HEADER + minutes(row="0,0"), "has no load at all"),
        (HEADER + minutes(59), "has 59 min of load; give at least an hour"),
        (f"{HEADER}{T0},1,1\n", "has 1 step; give at least an hour"),
        (f"{HEADER}0,1,1\n1,1,1\n2,1,1\n", "has steps of 1 s"),
        (HEADER + minutes(60) + "2026-01-01T01:00:30Z,1,1\n", "line 62 is not a whole number"),
        ("{", "line 1 is no JSON"),
        ("[]", "neither MetricDataResults nor Datapoints"),
        ('{"MetricDataResults": []}', "no metric whose id or label"),
        ('{"MetricDataResults": [{"Label": "x"}]}', r"MetricDataResults\[0\] has no Id"),
        (
            '{"MetricDataResults": [{"Id": "bytes", "Timestamps": [60], "Values": [-1]}]}',
            r"MetricDataResults\[0\], point 0 has -1",
        ),
        (
            '{"Label": "bytes", "Datapoints": [{"Timestamp": 60, "Average": 1}]}',
            r"Datapoints\[0\] has no Timestamp and Sum",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    written: Written, text: str | bytes, said: str
) -> None:
    path = written(text)
    with pytest.raises(ScalingError, match=said) as raised:
        from_file(path)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ScalingError, match=r"none\.csv cannot be read: No such file"):
        from_file(tmp_path / "none.csv")


def test_fractions_up_to_100_are_doubted(written: Written) -> None:
    rows = "".join(f"{60 * n},{n + 0.5}\n" for n in range(60))
    assert "if they are percentages" in from_file(written("time,x\n" + rows)).notes[0]


def test_a_hot_key_has_its_part_all_the_time(written: Written) -> None:
    trace = from_file(written(HEADER + minutes())).trace
    assert with_hot_key(trace, 0.0) is trace
    hot = with_hot_key(trace, 0.25).hot_key
    assert hot is not None
    assert set(hot.tolist()) == {0.25}
