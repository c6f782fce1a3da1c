// Sends by every client of lambda-powertools what is asked for on stdin, under the ids given there.
process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = '1'
const world = JSON.parse(require('fs').readFileSync(0, 'utf8'))

// The clients make theirs when they are loaded, of the SDK's global configuration.
const AWS = require('aws-sdk')
AWS.config.update({
  endpoint: world.endpoint,
  region: world.region,
  credentials: new AWS.Credentials('AKIDEXAMPLE', 'none')
})

const CorrelationIds = require('@dazn/lambda-powertools-correlation-ids')
const SNS = require('@dazn/lambda-powertools-sns-client')
const SQS = require('@dazn/lambda-powertools-sqs-client')
const Kinesis = require('@dazn/lambda-powertools-kinesis-client')
const Firehose = require('@dazn/lambda-powertools-firehose-client')
const EventBridge = require('@dazn/lambda-powertools-eventbridge-client')
const Lambda = require('@dazn/lambda-powertools-lambda-client')
const StepFunctions = require('@dazn/lambda-powertools-step-functions-client')
const DynamoDB = require('@dazn/lambda-powertools-dynamodb-client')
const HTTP = require('@dazn/lambda-powertools-http-client')

Lambda.setEndpoint(world.endpoint) // it was made with one of its own, undefined
for (const client of [SNS, SQS, Kinesis, Firehose, EventBridge, Lambda, StepFunctions, DynamoDB.service]) {
  if (client.endpoint.hostname !== '127.0.0.1') throw new Error(`not here: ${client.endpoint.href}`)
}

const payload = JSON.stringify({ kind: 'interop' })
const item = () => ({ id: require('crypto').randomUUID() })
const table = world.table

const sends = {
  'sns publish': () => SNS.publish({ TopicArn: world.topic, Message: 'm' }).promise(),
  'sns publish, through sqs': () => SNS.publish({ TopicArn: world.topicToQueue, Message: 'm' }).promise(),
  'sqs sendMessage': () => SQS.sendMessage({ QueueUrl: world.queue, MessageBody: 'm' }).promise(),
  'sqs sendMessageBatch': () => SQS.sendMessageBatch({
    QueueUrl: world.queue,
    Entries: [{ Id: '1', MessageBody: 'm' }, { Id: '2', MessageBody: 'm' }]
  }).promise(),
  'kinesis putRecord': () => Kinesis.putRecord({
    StreamName: world.stream, PartitionKey: '1', Data: payload
  }).promise(),
  'kinesis putRecords': () => Kinesis.putRecords({
    StreamName: world.stream,
    Records: [{ PartitionKey: '1', Data: payload }, { PartitionKey: '2', Data: payload }]
  }).promise(),
  'firehose putRecord': () => Firehose.putRecord({
    DeliveryStreamName: world.firehose, Record: { Data: payload }
  }).promise(),
  'firehose putRecordBatch': () => Firehose.putRecordBatch({
    DeliveryStreamName: world.firehose, Records: [{ Data: payload }, { Data: payload }]
  }).promise(),
  'eventbridge putEvents': () => EventBridge.putEvents({
    Entries: [{ Source: 'interop', DetailType: 'straight', Detail: payload, EventBusName: world.bus }]
  }).promise(),
  'lambda invoke': () => Lambda.invoke({ FunctionName: world.function, Payload: payload }).promise(),
  'lambda invoke, asynchronous': () => Lambda.invoke({
    FunctionName: world.function, InvocationType: 'Event', Payload: payload
  }).promise(),
  'step functions startExecution': () => StepFunctions.startExecution({
    stateMachineArn: world.machine, input: payload
  }).promise(),
  'dynamodb put': () => DynamoDB.put({ TableName: table, Item: item() }).promise(),
  'dynamodb update': () => DynamoDB.update({
    TableName: table,
    Key: item(),
    UpdateExpression: 'SET a = :a',
    ExpressionAttributeValues: { ':a': 1 }
  }).promise(),
  'dynamodb batchWrite': () => DynamoDB.batchWrite({
    RequestItems: { [table]: [{ PutRequest: { Item: item() } }, { PutRequest: { Item: item() } }] }
  }).promise(),
  'dynamodb transactWrite': () => DynamoDB.transactWrite({
    TransactItems: [{ Put: { TableName: table, Item: item() } }]
  }).promise(),
  http: () => HTTP({ uri: world.url })
}

async function main () {
  const failed = {}
  for (const [name, id] of Object.entries(world.ids)) {
    CorrelationIds.replaceAllWith({ ...world.context, 'x-correlation-id': id })
    try {
      await sends[name]()
    } catch (error) {
      failed[name] = `${error}`
    }
  }
  process.stdout.write(JSON.stringify({ known: Object.keys(sends), failed }))
}

main()
