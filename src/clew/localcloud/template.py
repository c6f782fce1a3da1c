"""Reads a SAM or CloudFormation template, checks its shape, and turns SAM into CloudFormation."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from clew.localcloud.errors import LocalCloudError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


_SAM_TRANSFORM = "AWS::Serverless-2016-10-31"
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class _Loader(yaml.SafeLoader):
    """YAML as CloudFormation reads it: short intrinsics (``!Sub``), and dates are strings."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way of being configured
        first: [(tag, regexp) for tag, regexp in resolvers if tag != _TIMESTAMP]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As PyYAML does it, but a key that is there twice is a mistake: only one would count."""
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = key_node.value
            if isinstance(key, str) and key != "<<":
                if key in seen:
                    raise yaml.constructor.ConstructorError(
                        problem=f"{key} is there twice in the same mapping",
                        problem_mark=key_node.start_mark,
                    )
                seen.add(key)
        return super().construct_mapping(node, deep)


def _construct_intrinsic(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in {"Ref", "Condition"} else f"Fn::{tag}"
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if tag == "GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {name: value}


_Loader.add_multi_constructor("!", _construct_intrinsic)


@dataclass(frozen=True, slots=True)
class Template:
    """A template as it was read. ``body`` is shared: copy it before changing it."""

    path: Path
    body: Mapping[str, Any]

    @property
    def is_sam(self) -> bool:
        """Whether the template asks for the SAM transform."""
        declared = self.body.get("Transform")
        return _SAM_TRANSFORM in (declared if isinstance(declared, list) else [declared])

    @property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        """Resources by logical id."""
        resources: Mapping[str, Mapping[str, Any]] = self.body["Resources"]
        return resources

    @property
    def reads_streams(self) -> bool:
        """Whether a function may be the consumer of a Kinesis or DynamoDB stream."""
        for resource in self.resources.values():
            if resource["Type"] == "AWS::Lambda::EventSourceMapping":
                return True
            events = resource.get("Properties", {}).get("Events")
            for event in events.values() if isinstance(events, dict) else ():
                if isinstance(event, dict) and event.get("Type") in {"DynamoDB", "Kinesis"}:
                    return True
        return False

    def error(self, sentence: str) -> LocalCloudError:
        """An error about this template."""
        return LocalCloudError(f"{self.path}: {sentence}")


def read_template(path: Path) -> Template:
    """Read a template from a YAML or JSON file and check its shape.

    Raises:
        LocalCloudError: It is missing, cannot be parsed, or is not a template; the message names
            the file, and the line or the logical id.
    """
    try:
        body = _parsed(path)
    except FileNotFoundError:
        raise LocalCloudError(
            f"There is no template at {path}; name the SAM template to deploy."
        ) from None
    return _checked(path, body)


def read_definition(template: Template, logical_id: str, given: str) -> Any:
    """What is in the file that a resource names, an OpenAPI document say.

    Raises:
        LocalCloudError: It is missing or cannot be parsed.
    """
    path = template.path.parent / given
    try:
        return _parsed(path)
    except FileNotFoundError:
        raise template.error(
            f"the definition of {logical_id} is not there: {path} does not exist."
        ) from None


def _parsed(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise LocalCloudError(f"{path} cannot be read: {error}.") from error
    try:
        if path.suffix == ".json":
            return json.loads(text, object_pairs_hook=_without_twins)
        # Safe: _Loader is a SafeLoader that knows CloudFormation's tags.
        return yaml.load(text, _Loader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = error.problem or error.context or "it cannot be parsed"
        raise LocalCloudError(f"{where}: this is not valid YAML: {problem}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise LocalCloudError(f"{path}: this is not valid YAML or JSON: {reason}.") from error


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for key, value in pairs:
        if key in body:
            raise ValueError(f"{key} is there twice in the same mapping")
        body[key] = value
    return body


def _checked(path: Path, body: object) -> Template:
    if not isinstance(body, dict):
        raise LocalCloudError(
            f"{path}: this is not a template; a template is a mapping with a Resources section."
        )
    resources = body.get("Resources")
    if not isinstance(resources, dict) or not resources:
        raise LocalCloudError(
            f"{path}: this is not a template; it has no Resources section, or an empty one."
        )
    for logical_id, resource in resources.items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise LocalCloudError(f"{path}: the resource {logical_id} has no Type.")
        if not isinstance(resource.get("Properties", {}), dict):
            raise LocalCloudError(
                f"{path}: the Properties of the resource {logical_id} are not a mapping."
            )
    for section in ("Parameters", "Outputs", "Globals", "Conditions", "Mappings"):
        if not isinstance(body.get(section, {}), dict):
            raise LocalCloudError(f"{path}: the {section} section is not a mapping.")
    return Template(path, body)


def checked_parameters(template: Template, given: Mapping[str, str]) -> dict[str, str]:
    """The parameter values to deploy with, defaults left to CloudFormation.

    Raises:
        LocalCloudError: One is unknown to the template, or one without a default is missing.
    """
    declared: Mapping[str, Any] = template.body.get("Parameters", {})
    for name in given:
        if name not in declared:
            known = ", ".join(sorted(declared)) or "none"
            raise template.error(f"there is no parameter {name} here (there is: {known}).")
    for name, parameter in declared.items():
        if name not in given and "Default" not in (parameter or {}):
            raise template.error(f"the parameter {name} has no default; give it a value.")
    return dict(given)


def to_cloudformation(
    template: Template, body: Mapping[str, Any], parameters: Mapping[str, str], *, region: str
) -> dict[str, Any]:
    """``body`` with the SAM transform applied, or a copy if it asks for none.

    ``body`` is the template's, in which local code has been replaced by where it was uploaded to.

    Raises:
        LocalCloudError: SAM does not accept the template; its first reason is in the message.
    """
    if not template.is_sam:
        return deepcopy(dict(body))
    # A third of a second, and only needed here.
    import boto3
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    fragment = deepcopy(dict(body))
    # SAM asks the session for nothing but its region.
    session = boto3.Session(region_name=region, aws_access_key_id="-", aws_secret_access_key="-")  # noqa: S106
    translator = Translator(None, Parser(), boto_session=session)
    try:
        translated: dict[str, Any] = translator.translate(fragment, dict(parameters))
    except InvalidDocumentException as error:
        causes = [cause.message for cause in error.causes] or [str(error)]
        more = f" (and {len(causes) - 1} more)" if len(causes) > 1 else ""
        raise template.error(f"SAM does not accept it: {causes[0].rstrip('.')}{more}.") from error
    finally:
        translator.metrics.publish()  # to nowhere; left unpublished they complain on stderr
    return translated
