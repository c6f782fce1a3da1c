"""What CloudFormation refuses is refused, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from clew.localcloud import LocalCloudError
from clew.localcloud.mistakes import mistakes

if TYPE_CHECKING:
    from pathlib import Path

    from clew.localcloud import LocalCloud

QUEUE = {"Type": "AWS::SQS::Queue"}


@pytest.mark.parametrize(
    "template",
    [
        {"Resources": {"Q": QUEUE}, "Outputs": {"O": {"Value": {"Ref": "Q"}}}},
        {
            "Conditions": {
                "A": {"Fn::Equals": [{"Ref": "AWS::Region"}, "x"]},
                "B": {"Fn::Not": [{"Condition": "A"}]},
                "C": {"Fn::And": [{"Condition": "A"}, {"Fn::Or": [{"Condition": "B"}, True]}]},
            },
            "Resources": {
                "Q": {**QUEUE, "Condition": "C", "Properties": {"X": {"Fn::If": ["A", "b", "c"]}}},
                # "Condition" in a policy is another thing.
                "P": {"Properties": {"S": [{"Condition": {"StringEquals": {"a": "b"}}}]}},
            },
            "Outputs": {"O": {"Condition": "B", "Value": "x"}, "Odd": "text"},
        },
    ],
)
def test_what_is_right_is_left(template: dict[str, Any]) -> None:
    assert list(mistakes(template)) == []


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        (
            {"Resources": {"Q": {**QUEUE, "Condition": "C"}}},
            "Q has the condition C, which is not in Conditions.",
        ),
        (
            {"Resources": {}, "Outputs": {"O": {"Condition": "C", "Value": "x"}}},
            "O has the condition C, which is not in Conditions.",
        ),
        (
            {"Resources": {"Q": {"Properties": {"X": [{"Fn::If": ["C", 1, 2]}]}}}},
            "Q has the condition C, which is not in Conditions.",
        ),
        (
            {"Conditions": {"C": {"Fn::Not": [{"Condition": "D"}]}}},
            "the condition C names the condition D, which is not in Conditions.",
        ),
        (
            {"Conditions": {"C": {"Fn::Equals": ["a"]}}},
            "the condition C needs a list of 2 values for Fn::Equals.",
        ),
        (
            {"Conditions": {"C": {"Fn::Or": [{"Fn::Equals": ["a", "b"]}]}}},
            "the condition C needs a list of 2 to 10 values for Fn::Or.",
        ),
        (
            {"Resources": {"F": {"Properties": {"X": {"Fn::GetAtt": ["F", "Nope"]}}}}},
            "F refers to itself, which CloudFormation refuses as a circular dependency; "
            "leave that reference out.",
        ),
    ],
)
def test_each_mistake_has_its_sentence(template: dict[str, Any], sentence: str) -> None:
    assert list(mistakes(template)) == [sentence]


FUNCTION = """
Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: "def handler(event, context): return 'here'"
"""


@pytest.mark.local_cloud
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            FUNCTION + "      Environment: {Variables: {A: !GetAtt F.Nope}}",
            "F refers to itself, which CloudFormation",
        ),
        (FUNCTION + "Outputs: {O: {Value: !GetAtt F.Nope}}", "attribute Nope does not exist"),
        (FUNCTION + "    Condition: Nope", "F has the condition Nope, which is not in Conditions."),
        (
            FUNCTION + "Conditions: {C: !Equals [a]}",
            "the condition C needs a list of 2 values for Fn::Equals.",
        ),
        # The emulator itself breaks down over this one.
        (FUNCTION + "Conditions: {C: {Condition: D}, D: {Condition: C}}", "does not accept it: "),
        (FUNCTION + "  F: {Type: AWS::SNS::Topic}", "F is there twice in the same mapping."),
        (
            FUNCTION + "      Layers: ['arn:aws:lambda:us-east-1:000000000000:layer:Nope:7']",
            "failed: Layer version arn:aws:lambda:us-east-1:000000000000:layer:Nope:7 does not",
        ),
    ],
)
def test_a_broken_template_is_refused_in_one_sentence(
    cloud: LocalCloud, tmp_path: Path, text: str, sentence: str
) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(text)
    with pytest.raises(LocalCloudError) as caught:
        cloud.deploy(path, "broken")
    message = str(caught.value)
    assert message.startswith(str(path))
    assert sentence in message
    assert "\n" not in message
    assert "b'" not in message
