/** Metadata requests for all topics, each one on the wire. */
import type { Clock } from '../../clock.ts'
import { metadata } from '../../protocol/messages/metadata.ts'
import type { ConnectionOptions, MetadataClient } from '../driver.ts'
import { Cluster } from './cluster.ts'
import { toDriverError } from './errors.ts'

export const createMetadataClient = async (
  connection: ConnectionOptions,
  clock: Clock,
): Promise<MetadataClient> => {
  const cluster = await Cluster.open(connection, clock, { topics: [] })
  const request = async (): Promise<void> => {
    try {
      await cluster.request(metadata, {
        topics: null,
        allowAutoTopicCreation: false,
        includeTopicAuthorizedOperations: false,
      })
    } catch (error) {
      throw toDriverError('get metadata', error, connection)
    }
  }
  return { request, close: async () => cluster.close() }
}
