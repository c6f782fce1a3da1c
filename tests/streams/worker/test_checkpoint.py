"""How far a shard is, written down and read again."""

from __future__ import annotations

import re

import pytest

from clew.streams.worker import WorkerError, checkpoint
from clew.streams.worker.machine import Lane
from clew.streams.worker.windows import Window

from .making import EPOCH, record, records

DONE = Lane(done="00017", done_arrived=EPOCH, read_to="00020")


def test_a_lane_goes_on_where_it_was() -> None:
    busy = Lane(done="00017", done_arrived=EPOCH, read_to="00020", waiting=records(18, 3))
    restored = checkpoint.read(checkpoint.write([busy]), 1)
    assert (restored.position, restored.arrived) == ("00017", EPOCH)
    assert restored.lanes == (Lane(done="00017", done_arrived=EPOCH, read_to="00017"),)


def test_what_was_filtered_out_is_not_read_again() -> None:
    assert checkpoint.read(checkpoint.write([DONE]), 1).position == "00020"


def test_the_shard_goes_on_from_its_lane_that_is_furthest_behind() -> None:
    ahead = Lane(done="100", read_to="100")
    behind = Lane(done="20", read_to="100", waiting=(record(30),))
    restored = checkpoint.read(checkpoint.write([ahead, behind]), 2)
    assert restored.position == "20"
    assert [lane.done for lane in restored.lanes] == ["100", "20"]


def test_a_lane_that_has_done_nothing_holds_the_shard_at_its_start() -> None:
    restored = checkpoint.read(checkpoint.write([DONE, Lane(waiting=(record(1),))]), 2)
    assert restored.position is None


def test_with_another_number_of_lanes_all_begin_where_the_last_was() -> None:
    lanes = [Lane(done="100", read_to="100"), Lane(done="20", read_to="20")]
    restored = checkpoint.read(checkpoint.write(lanes), 3)
    assert restored.position == "20"
    assert [lane.done for lane in restored.lanes] == ["20", "20", "20"]


def test_an_open_window_is_kept_with_its_state() -> None:
    window = Window(60.0, 120.0, {"n": [1, "é"]})
    (lane,) = checkpoint.read(checkpoint.write([Lane(done="1", window=window)]), 1).lanes
    assert lane.window == window


def test_a_shard_without_a_checkpoint_begins() -> None:
    assert checkpoint.read("", 2).lanes == (Lane(), Lane())


@pytest.mark.parametrize("text", ["{", "[]", '{"lanes": [[1]]}', '{"lanes": [["1", 0, [1]]]}', "7"])
def test_a_checkpoint_that_is_none_gets_one_sentence(text: str) -> None:
    with pytest.raises(WorkerError, match=re.escape("a checkpoint that cannot be read")):
        checkpoint.read(text, 1)
