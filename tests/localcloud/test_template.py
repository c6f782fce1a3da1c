"""Templates are read as CloudFormation reads them, and refused in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clew.localcloud import LocalCloudError
from clew.localcloud.template import checked_parameters, read_template, to_cloudformation

if TYPE_CHECKING:
    from pathlib import Path


def _written(folder: Path, text: str, name: str = "template.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Resources: [", ":1: this is not valid YAML: "),
        ("a: 1\nb: : 2", ":2: this is not valid YAML: "),
        ("\x00", "this is not valid YAML or JSON: "),
        ("", "this is not a template; a template is a mapping with a Resources section."),
        ("just words", "this is not a template; a template is a mapping"),
        ("Transform: AWS::Serverless-2016-10-31", "it has no Resources section, or an empty one."),
        ("Resources: {}", "it has no Resources section, or an empty one."),
        ("Resources: {Topic: {}}", "the resource Topic has no Type."),
        ("Resources: {Topic: AWS::SNS::Topic}", "the resource Topic has no Type."),
        (
            "Resources: {Topic: {Type: AWS::SNS::Topic, Properties: no}}",
            "the Properties of the resource Topic are not a mapping.",
        ),
        (
            "Resources: {Topic: {Type: AWS::SNS::Topic}}\nOutputs: []",
            "the Outputs section is not a mapping.",
        ),
        (
            "Resources:\n  T: {Type: AWS::SNS::Topic}\n  T: {Type: AWS::SQS::Queue}",
            ":3: this is not valid YAML: T is there twice in the same mapping.",
        ),
    ],
)
def test_a_bad_template_gets_one_sentence_with_its_file(
    tmp_path: Path, text: str, said: str
) -> None:
    path = _written(tmp_path, text)
    with pytest.raises(LocalCloudError) as caught:
        read_template(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert said in message
    assert "\n" not in message


def test_a_key_that_is_there_twice_is_refused_in_json_too(tmp_path: Path) -> None:
    path = _written(tmp_path, '{"Resources": {"T": 1, "T": 2}}', "template.json")
    with pytest.raises(LocalCloudError, match="T is there twice in the same mapping"):
        read_template(path)


def test_a_missing_template_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LocalCloudError, match=r"There is no template at .*nowhere\.yaml"):
        read_template(tmp_path / "nowhere.yaml")


def test_a_folder_is_no_template(tmp_path: Path) -> None:
    with pytest.raises(LocalCloudError, match="cannot be read"):
        read_template(tmp_path)


def test_intrinsics_and_dates_are_read_as_cloudformation_reads_them(tmp_path: Path) -> None:
    text = """
Resources:
  It:
    Type: A::B::C
    Properties:
      Ref: !Ref Other
      Att: !GetAtt Other.Arn.Deep
      Sub: !Sub ["${A}", {A: !Ref B}]
      If: !If [Yes, 1, !Ref AWS::NoValue]
      Version: 2012-10-17
"""
    properties = read_template(_written(tmp_path, text)).resources["It"]["Properties"]
    assert properties == {
        "Ref": {"Ref": "Other"},
        "Att": {"Fn::GetAtt": ["Other", "Arn.Deep"]},
        "Sub": {"Fn::Sub": ["${A}", {"A": {"Ref": "B"}}]},
        "If": {"Fn::If": [True, 1, {"Ref": "AWS::NoValue"}]},
        "Version": "2012-10-17",
    }


def test_json_is_read_too(tmp_path: Path) -> None:
    path = _written(tmp_path, '{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}', "t.json")
    assert not read_template(path).is_sam


def test_parameters_are_checked(tmp_path: Path) -> None:
    text = "Parameters: {Must: {Type: String}}\nResources: {T: {Type: AWS::SNS::Topic}}"
    template = read_template(_written(tmp_path, text))
    assert checked_parameters(template, {"Must": "x"}) == {"Must": "x"}
    with pytest.raises(LocalCloudError, match="the parameter Must has no default"):
        checked_parameters(template, {})
    with pytest.raises(LocalCloudError, match=r"no parameter May here \(there is: Must\)"):
        checked_parameters(template, {"May": "x"})


def test_what_sam_does_not_accept_names_the_resource(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Broken:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.12, InlineCode: x, Handler: index.h, Events: {E: {Type: What}}}
"""
    template = read_template(_written(tmp_path, text))
    with pytest.raises(LocalCloudError, match=r"template\.yaml: SAM does not accept it: .*Broken"):
        to_cloudformation(template, template.body, {}, region="us-east-1")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("resource", "reads"),
    [
        ("{Type: AWS::Lambda::EventSourceMapping}", True),
        ("{Type: AWS::Serverless::Function, Properties: {Events: {E: {Type: Kinesis}}}}", True),
        ("{Type: AWS::Serverless::Function, Properties: {Events: {E: {Type: DynamoDB}}}}", True),
        ("{Type: AWS::Serverless::Function, Properties: {Events: {E: {Type: SNS}}}}", False),
        ("{Type: AWS::Serverless::Function, Properties: {Events: nonsense}}", False),
        ("{Type: AWS::Kinesis::Stream}", False),
    ],
)
def test_a_consumer_of_a_stream_is_seen(tmp_path: Path, resource: str, reads: bool) -> None:
    path = _written(tmp_path, f"Resources: {{Mine: {resource}}}")
    assert read_template(path).reads_streams == reads
