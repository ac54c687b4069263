/** Metadata requests for all topics, each one on the wire: the library's own method merges those that overlap. */
import type { ConnectionOptions, MetadataClient } from '../driver.ts'
import {
  baseOptions,
  closeWithin,
  commonVersion,
  neededApis,
  probe,
  type Surroundings,
} from './connection.ts'
import { toDriverError } from './errors.ts'
import type { LibraryApi } from './library.ts'

export const createMetadataClient = async (
  surroundings: Surroundings,
  connection: ConnectionOptions,
): Promise<MetadataClient> => {
  const { library, clock } = surroundings
  const told = await probe(surroundings, connection, { topics: [], needed: neededApis.metadata })
  const { api } = library[`metadataV${commonVersion(library, 'Metadata', told)}`] as LibraryApi
  const client = new library.Base(baseOptions(connection))
  const { brokers } = await client.metadata({ topics: [] })
  const addresses = [...brokers.values()]
  let turn = 0
  const request = async (): Promise<void> => {
    try {
      const first = turn++ % addresses.length
      const order = [...addresses.slice(first), ...addresses.slice(0, first)]
      await api.async(await client.connections.getFirstAvailable(order), null, false, false)
    } catch (error) {
      throw toDriverError('get metadata', error, connection)
    }
  }
  return { request, close: () => closeWithin(clock, client) }
}
