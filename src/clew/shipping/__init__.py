"""Log shipping: from a subscription of CloudWatch Logs to another system, line by line.

`clew.shipping.handlers` has the two Lambda functions, ``template.yaml`` deploys them. What decides
is pure: `unpack`, `parse`, `batches`, `answers`, `subscriptions`; what talks to the world is a thin
shell: `sinks`, `subscribing`.
"""
