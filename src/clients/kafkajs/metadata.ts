/** Metadata requests for all topics, each one on the wire: kafkajs' own methods would answer from memory. */
import type { Clock } from '../../clock.ts'
import type { ConnectionOptions, MetadataClient } from '../driver.ts'
import { openCluster } from './connection.ts'
import { toDriverError } from './errors.ts'

export const createMetadataClient = async (
  connection: ConnectionOptions,
  clock: Clock,
): Promise<MetadataClient> => {
  const { cluster, close } = await openCluster(connection, clock, {
    topics: [],
    isolation: 'read-uncommitted',
  })
  let turn = 0
  const request = async (): Promise<void> => {
    try {
      const nodeIds = cluster.getNodeIds()
      const nodeId = String(nodeIds[turn++ % nodeIds.length])
      const broker = await cluster.findBroker({ nodeId })
      await broker.metadata([])
    } catch (error) {
      throw toDriverError('get metadata', error, connection)
    }
  }
  return { request, close }
}
