import { testConnecting } from '../../../test/support/connecting.ts'
import { openCluster } from './connection.ts'
import { createMetadataClient } from './metadata.ts'

testConnecting({
  async open(connection, clock) {
    const options = { topics: [], isolation: 'read-uncommitted' } as const
    const { close } = await openCluster(connection, clock, options)
    return close
  },
  createMetadataClient,
  lackedMechanism: 'SCRAM-SHA-512 mechanism is not supported by the server',
})
