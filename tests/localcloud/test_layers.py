"""Layers of other accounts are told of, and are in nobody's way."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from clew.localcloud.layers import foreign_layers

from .test_mistakes import FUNCTION

if TYPE_CHECKING:
    from pathlib import Path

    from clew.localcloud import LocalCloud

THEIRS = "arn:aws:lambda:${AWS::Region}:017000801446:layer:Powertools:7"


def test_only_those_of_other_accounts_are_named() -> None:
    own = [
        {"Ref": "Layer"},
        "arn:aws:lambda:us-east-1:000000000000:layer:Own:1",
        {"Fn::Sub": "arn:aws:lambda:us-east-1:${AWS::AccountId}:layer:Own:1"},
    ]
    kind = "AWS::Lambda::Function"
    functions = {
        "Own": {"Type": kind, "Properties": {"Layers": own}},
        "Theirs": {"Type": kind, "Properties": {"Layers": [{"Fn::Sub": THEIRS}]}},
        "None": {"Type": kind},
    }
    (sentence,) = foreign_layers({"Resources": functions})
    assert sentence.startswith(f"the layer {THEIRS} of Theirs is empty here; ")


@pytest.mark.local_cloud
def test_a_function_with_one_is_deployed_and_runs(
    cloud: LocalCloud, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(f"{FUNCTION}      Layers: [!Sub '{THEIRS}']\n")
    with caplog.at_level(logging.WARNING):
        stack = cloud.deploy(path, "layered")
    assert f"{path}: the layer {THEIRS} of F is empty here" in caplog.text
    answer = cloud.client("lambda").invoke(FunctionName=stack.functions["F"])
    assert json.load(answer["Payload"]) == "here"
