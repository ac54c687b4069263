import { testConnecting } from '../../../test/support/connecting.ts'
import { Cluster } from './cluster.ts'
import { createMetadataClient } from './metadata.ts'

testConnecting({
  async open(connection, clock) {
    const cluster = await Cluster.open(connection, clock, { topics: [] })
    return () => cluster.close()
  },
  createMetadataClient,
  lackedMechanism: 'the broker has no SASL mechanism SCRAM-SHA-512; it has PLAIN, SCRAM-SHA-256',
})
