"""References to nothing are found, and no others."""

from __future__ import annotations

from clew.localcloud.references import unresolved_references


def test_what_is_there_is_resolved() -> None:
    template = {
        "Parameters": {"Stage": {"Type": "String"}},
        "Resources": {
            "Topic": {"Type": "AWS::SNS::Topic"},
            "It": {
                "DependsOn": ["Topic"],
                "Properties": {
                    "A": {"Ref": "Topic"},
                    "B": {"Fn::GetAtt": ["Topic", "TopicName"]},
                    "C": {"Fn::GetAtt": "Topic.TopicName"},
                    "D": {"Fn::Sub": "${AWS::Region}-${Stage}-${Topic.TopicName}-${!Literal}"},
                    "E": {"Fn::Sub": ["${Own}", {"Own": {"Ref": "Stage"}}]},
                    "F": {"Fn::If": ["Yes", {"Ref": "AWS::NoValue"}, "${Text}"]},
                },
            },
        },
    }
    assert unresolved_references(template) == []


def test_what_is_not_there_is_named_with_its_place() -> None:
    template = {
        "Resources": {
            "One": {"DependsOn": "A", "Properties": {"X": [{"Ref": "B"}, {"Ref": "B"}]}},
            "Two": {"Properties": {"X": {"Fn::GetAtt": ["C", "Arn"]}}},
        },
        "Outputs": {"Out": {"Value": {"Fn::Sub": ["${D.Arn}${E}", {"E": {"Ref": "F"}}]}}},
    }
    assert unresolved_references(template) == [
        ("One", "A"),
        ("One", "B"),
        ("Two", "C"),
        ("Out", "D"),
        ("Out", "F"),
    ]
