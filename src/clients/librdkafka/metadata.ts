/** Metadata requests for all topics: librdkafka sends each one, from threads of Node.js' pool. */
import { DriverError, messageOf } from '../../errors.ts'
import type { ConnectionOptions, MetadataClient } from '../driver.ts'
import { redact } from '../security.ts'
import { configOf, connect, disconnectWithin, type Surroundings, split } from './connection.ts'

const closeLimitMs = 5_000

export const createMetadataClient = async (
  { library, clock }: Surroundings,
  connection: ConnectionOptions,
): Promise<MetadataClient> => {
  const client = new library.Producer(...split(configOf(connection, {})))
  await connect(client, connection)
  const request = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const timeout = connection.requestTimeoutMs
      client.getMetadata({ allTopics: true, timeout }, (error) => {
        if (!error) return resolve()
        const message = redact(`cannot get metadata: ${messageOf(error)}`, connection)
        reject(new DriverError(message, { kafkaCode: error.code > 0 ? error.code : null }))
      })
    })
  const close = () => disconnectWithin(clock, closeLimitMs, (done) => client.disconnect(0, done))
  return { request, close }
}
