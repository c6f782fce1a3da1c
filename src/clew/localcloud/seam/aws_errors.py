"""Errors in the form in which a service sends them, so that an SDK takes them for the service's.

SDKs decide by the code in the body, and by the status, whether they try again; where the two
stand depends on the protocol.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from clew.localcloud.seam.aws_operations import Request, Service

# What every service may answer, whether its model says so or not, and the status that comes with
# it ("Common errors" in the services' API references, and "Error responses" in that of S3).
_COMMON = {
    "AccessDeniedException": 403,
    "ExpiredTokenException": 403,
    "InternalError": 500,
    "InternalFailure": 500,
    "InternalServerError": 500,
    "RequestLimitExceeded": 503,
    "RequestTimeout": 400,
    "RequestTimeoutException": 400,
    "ServiceUnavailable": 503,
    "SlowDown": 503,
    "Throttling": 400,
    "ThrottlingException": 400,
    "TooManyRequestsException": 429,
    "UnrecognizedClientException": 403,
}
_REQUEST_ID = "00000000-0000-4000-8000-00000000c1e0"  # one that can be told from a real one


def error_codes(service: Service) -> dict[str, int]:
    """The codes that a service may answer with, and their HTTP status."""
    codes = dict(_COMMON)
    for shape in service.model.error_shapes:
        error = shape.metadata.get("error", {})
        own = 500 if shape.name in service.faults_of_the_service else 400
        status = error.get("httpStatusCode", own)
        codes[shape.name] = codes[error.get("code", shape.name)] = status
    return codes


def error_answer(
    service: Service, request: Request, code: str, message: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an error, in the protocol in which the request was made."""
    status = error_codes(service).get(code, 400)
    headers, body = _in_protocol(_protocol(service, request), code, message, status)
    own = {"x-amzn-requestid": _REQUEST_ID, "x-amz-request-id": _REQUEST_ID}
    return status, headers | own, body


def _protocol(service: Service, request: Request) -> str:
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return "cbor"
    if "x-amz-target" in request.headers:
        return "json"
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return "ec2" if service.name == "ec2" else "query"
    if service.model.metadata["protocol"] == "rest-xml":
        return "s3" if service.name.startswith("s3") else "query"
    return "rest-json"


def _in_protocol(
    protocol: str, code: str, message: str, status: int
) -> tuple[dict[str, str], bytes]:
    side = "Sender" if status < 500 else "Receiver"
    match protocol:
        case "cbor":
            body = b"\xa2" + b"".join(map(_cbor_text, ("__type", code, "message", message)))
            return {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}, body
        case "json":
            body = json.dumps({"__type": code, "message": message}).encode()
            # For clients that know the service by its older protocol's codes (SQS, CloudWatch).
            older = {"x-amzn-query-error": f"{code};{side}"}
            return {"content-type": "application/x-amz-json-1.1"} | older, body
        case "rest-json":
            body = json.dumps({"Type": side, "message": message}).encode()
            return {"content-type": "application/json", "x-amzn-errortype": code}, body
    inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    request_id = f"<RequestId>{_REQUEST_ID}</RequestId>"
    match protocol:
        case "s3":
            text = f"<Error>{inner}{request_id}</Error>"
        case "ec2":
            text = f"<Response><Errors><Error>{inner}</Error></Errors>{request_id}</Response>"
        case _:
            error = f"<Error><Type>{side}</Type>{inner}</Error>"
            text = f"<ErrorResponse>{error}{request_id}</ErrorResponse>"
    return {"content-type": "text/xml"}, f'<?xml version="1.0"?>{text}'.encode()


def _cbor_text(text: str) -> bytes:
    """A text string of up to 65,535 bytes, in CBOR (RFC 8949, major type 3)."""
    encoded = text.encode()
    return b"\x79" + len(encoded).to_bytes(2, "big") + encoded
