/**
 * The few doors into kafkajs 2.2.4 that its index does not open, typed as far as they are used here; the version is
 * pinned for them. Not imported by anything but the kafkajs driver.
 */
import type { Broker, Message } from 'kafkajs'
import batchModule from 'kafkajs/src/consumer/batch.js'
import errorModule from 'kafkajs/src/protocol/error.js'
import requestsModule from 'kafkajs/src/protocol/requests/index.js'

export interface ProduceArguments {
  acks: number
  timeout: number
  compression: number
  producerId?: string
  producerEpoch?: number
  topicData: {
    topic: string
    partitions: { partition: number; firstSequence: number; messages: Message[] }[]
  }[]
}

export interface ProduceAnswer {
  topics: {
    topicName: string
    partitions: { partition: number; errorCode: number; baseOffset: string }[]
  }[]
}

interface ProtocolCall<Answer> {
  request: { encode: () => Promise<unknown> }
  response: {
    decode: (bytes: Buffer) => Promise<Answer>
    parse: (answer: Answer) => Promise<Answer>
  }
}

/** What kafkajs' own `Broker` type leaves out. */
export interface InnerBroker extends Broker {
  readonly brokerAddress: string
  readonly connectionPool: { send<Answer>(call: ProtocolCall<Answer>): Promise<Answer> }
  lookupRequest(
    apiKey: number,
    definition: unknown,
  ): (args: ProduceArguments) => ProtocolCall<ProduceAnswer>
  initProducerId(request: {
    transactionTimeout: number
  }): Promise<{ producerId: string; producerEpoch: number }>
  listOffsets(request: {
    isolationLevel: number
    topics: { topic: string; partitions: { partition: number; timestamp: number }[] }[]
  }): Promise<{
    responses: { topic: string; partitions: { partition: number; offset: string }[] }[]
  }>
  joinGroup(request: unknown): Promise<{ memberId: string; generationId: number }>
}

export interface InnerMessage {
  offset: string
  value: Buffer | null
  headers?: Record<string, Buffer | string | (Buffer | string)[] | undefined>
}

/** kafkajs' batch: without control records, aborted transactions and records below the fetched offset. */
export interface InnerBatch {
  readonly topic: string
  readonly partition: number
  readonly fetchedOffset: string
  readonly rawMessages: readonly InnerMessage[]
  readonly messages: readonly InnerMessage[]
  lastOffset(): string
}

export interface FetchAnswer {
  responses: {
    topicName: string
    partitions: { partition: number; messages: InnerMessage[] }[]
  }[]
}

const produceApiKey = 0
const { requests } = requestsModule as { requests: { Produce: unknown } }
const { createErrorFromCode } = errorModule as {
  createErrorFromCode: (code: number) => Error & { type: string; code: number }
}
const BatchOfKafkajs = batchModule as new (
  topic: string,
  fetchedOffset: string,
  partitionData: unknown,
) => InnerBatch

/**
 * One Produce request. Unlike `broker.produce`, which throws the first partition's error away with all other answers,
 * it resolves to every partition's own error code. The bytes go to the socket as soon as `beforeWrite` resolves.
 */
export const produce = (
  broker: InnerBroker,
  args: ProduceArguments,
  beforeWrite: () => Promise<void>,
): Promise<ProduceAnswer | undefined> => {
  const { request, response } = broker.lookupRequest(produceApiKey, requests.Produce)(args)
  return broker.connectionPool.send({
    request: {
      ...request,
      encode: async () => {
        const bytes = await request.encode()
        await beforeWrite()
        return bytes
      },
    },
    response: { decode: response.decode, parse: (answer) => Promise.resolve(answer) },
  })
}

export const messageOfCode = (code: number): string => {
  const { type, message } = createErrorFromCode(code)
  return `${type}: ${message}`
}

export const newBatch = (
  topic: string,
  fetchedOffset: number,
  partitionData: unknown,
): InnerBatch => new BatchOfKafkajs(topic, String(fetchedOffset), partitionData)
