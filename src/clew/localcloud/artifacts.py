"""Finds what a template takes from local files, and puts in its place where that was uploaded."""

from __future__ import annotations

import hashlib
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from clew.localcloud.package import folder_zip, function_zip
from clew.localcloud.template import Template, read_definition

if TYPE_CHECKING:
    from collections.abc import Callable

# Resource type -> the property that holds a path, and whether it is a function's code.
_ZIPPED = {
    "AWS::Serverless::Function": ("CodeUri", True),
    "AWS::Lambda::Function": ("Code", True),
    "AWS::Serverless::LayerVersion": ("ContentUri", False),
    "AWS::Lambda::LayerVersion": ("Content", False),
}
# Resource type -> the property that holds a path, and the one that takes the same in line.
_INLINED = {
    "AWS::Serverless::Api": ("DefinitionUri", "DefinitionBody"),
    "AWS::Serverless::HttpApi": ("DefinitionUri", "DefinitionBody"),
    "AWS::Serverless::StateMachine": ("DefinitionUri", "Definition"),
}


def with_uploaded_code(
    template: Template, bucket: str, upload: Callable[[str, bytes], None]
) -> dict[str, Any]:
    """A copy of the template's body in which every local path has become a place in ``bucket``.

    Args:
        template: The template as it was read; its paths are relative to its file.
        bucket: The name of the bucket that ``upload`` writes to.
        upload: Called with a key and the bytes, once for each different content.

    Raises:
        LocalCloudError: A path does not exist (the message names the logical id), or a
            function's requirements could not be installed.
    """
    body = deepcopy(dict(template.body))
    default_code = body.get("Globals", {}).get("Function", {}).get("CodeUri")
    zipped: dict[tuple[str, bool], str] = {}
    for logical_id, resource in body["Resources"].items():
        kind = resource["Type"]
        properties = resource.setdefault("Properties", {})
        if kind in _INLINED:
            _inline(template, logical_id, properties, *_INLINED[kind])
        if kind not in _ZIPPED:
            continue
        name, is_function = _ZIPPED[kind]
        given = properties.get(name)
        if given is None and kind == "AWS::Serverless::Function":
            given = _default_code(properties, default_code)
        if not isinstance(given, str) or given.startswith("s3://"):
            continue
        with_clew = is_function and _runs_python(body, properties)
        if (given, with_clew) not in zipped:
            content = _zip(template, logical_id, given, with_clew)
            key = f"{hashlib.sha256(content).hexdigest()}.zip"
            upload(key, content)
            zipped[given, with_clew] = key
        properties[name] = _place(kind, bucket, zipped[given, with_clew])
    return body


def _default_code(properties: dict[str, Any], default: Any) -> Any:
    if "InlineCode" in properties or "ImageUri" in properties:
        return None
    if properties.get("PackageType") == "Image":
        return None
    return "." if default is None else default


def _runs_python(body: dict[str, Any], properties: dict[str, Any]) -> bool:
    default = body.get("Globals", {}).get("Function", {}).get("Runtime", "")
    return str(properties.get("Runtime", default)).startswith("python")


def _zip(template: Template, logical_id: str, given: str, with_clew: bool) -> bytes:
    path = template.path.parent / given
    if not path.exists():
        raise template.error(f"the code of {logical_id} is not there: {path} does not exist.")
    return function_zip(path) if with_clew else folder_zip(path)


def _place(kind: str, bucket: str, key: str) -> Any:
    if kind.startswith("AWS::Serverless::"):
        return {"Bucket": bucket, "Key": key}
    return {"S3Bucket": bucket, "S3Key": key}


def _inline(
    template: Template, logical_id: str, properties: dict[str, Any], source: str, target: str
) -> None:
    given = properties.get(source)
    if isinstance(given, str) and not given.startswith("s3://"):
        properties[target] = read_definition(template, logical_id, given)
        del properties[source]
