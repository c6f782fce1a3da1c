"""Finds what CloudFormation refuses in a template and the emulator deploys as if it were fine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clew.localcloud.references import names_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# How many arguments each function of the Conditions section takes ("Condition functions").
_ARGUMENTS = {
    "Fn::And": range(2, 11),
    "Fn::Equals": range(2, 3),
    "Fn::Not": range(1, 2),
    "Fn::Or": range(2, 11),
}


def mistakes(template: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each, in the order of the template; the file's name is to go before it.

    Args:
        template: A CloudFormation template, SAM already translated.
    """
    conditions: Mapping[str, Any] = template.get("Conditions", {})
    for name, expression in conditions.items():
        for problem in _in_expression(expression, conditions):
            yield f"the condition {name} {problem}."
    for section in ("Resources", "Outputs"):
        for where, body in template.get(section, {}).items():
            own = body.get("Condition") if isinstance(body, dict) else None
            used = [own, *_if_conditions(body)]
            for condition in used:
                if isinstance(condition, str) and condition not in conditions:
                    yield f"{where} has the condition {condition}, which is not in Conditions."
    for logical_id, resource in template.get("Resources", {}).items():
        if logical_id in names_in(resource):
            yield (
                f"{logical_id} refers to itself, which CloudFormation refuses as a circular "
                "dependency; leave that reference out."
            )


def _in_expression(value: Any, conditions: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _in_expression(item, conditions)
    if not isinstance(value, dict):
        return
    for name, arguments in value.items():
        if name == "Condition" and isinstance(arguments, str) and arguments not in conditions:
            yield f"names the condition {arguments}, which is not in Conditions"
        allowed = _ARGUMENTS.get(name)
        if allowed and not (isinstance(arguments, list) and len(arguments) in allowed):
            many = str(allowed[0]) if len(allowed) == 1 else f"{allowed[0]} to {allowed[-1]}"
            yield f"needs a list of {many} values for {name}"
            return
        yield from _in_expression(arguments, conditions)


def _if_conditions(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _if_conditions(item)
    elif isinstance(value, dict):
        match value.get("Fn::If"):
            case [condition, *_]:
                yield condition
        for item in value.values():
            yield from _if_conditions(item)
