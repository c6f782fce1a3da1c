"""The services' limits on what a message may hold, each with the page that gives it.

Sizes are bytes. A message is never pushed over one of them by what clew adds.
"""

from __future__ import annotations

#: SNS developer guide, "Amazon SNS message attributes", "Raw message delivery": a subscription
#: with raw delivery drops a message with more than ten.
SNS_ATTRIBUTES = 10
#: SNS API reference, "Publish": 262,144 bytes, attributes included; of a batch together.
SNS_MESSAGE = 262_144
#: Kinesis developer guide, "Quotas and limits": a record may have 1 MiB by default, and up to
#: 10 MiB where the stream was set so; data before base64 and partition key together.
KINESIS_RECORD = 1_048_576
KINESIS_LARGE_RECORD = 10_485_760
#: Kinesis API reference, "PutRecords": 10 MiB for the whole request, partition keys included.
KINESIS_REQUEST = 10_485_760
#: Lambda developer guide, "Lambda quotas": 6 MB synchronous, 1 MB asynchronous.
LAMBDA_PAYLOAD = 6_291_456
LAMBDA_EVENT_PAYLOAD = 1_048_576
#: No field set is larger than this on the wire: 4 KiB of fields, the trace, names and quotes.
LARGEST_CONTEXT = 8_192
