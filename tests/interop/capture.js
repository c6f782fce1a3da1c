// Gives each event on stdin to a function with lambda-powertools' middleware, and says what it captured.
process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = '1'
process.env.AWS_REGION = 'us-east-1'
const events = JSON.parse(require('fs').readFileSync(0, 'utf8'))

const middy = require('@middy/core')
const CorrelationIds = require('@dazn/lambda-powertools-correlation-ids')
const captureCorrelationIds = require('@dazn/lambda-powertools-middleware-correlation-ids')

// Per record, where an event has several; else those of the function.
const handler = middy(async (event, context) => {
  const records = context.parsedKinesisEvents || context.parsedFirehoseEvents ||
    context.parsedDynamoDbEvents || event.Records || []
  const captured = records.filter(record => record && record.correlationIds)
  return captured.length ? captured.map(record => record.correlationIds.get()) : [CorrelationIds.get()]
}).use(captureCorrelationIds({ sampleDebugLogRate: 0 }))

async function main () {
  const captured = []
  for (const event of events) {
    const found = await handler(event, { awsRequestId: 'of-node' })
    captured.push(JSON.parse(JSON.stringify(found)))
  }
  process.stdout.write(JSON.stringify(captured))
}

main()
