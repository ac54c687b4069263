/** The wire driver: bench's own client, over the tables of src/protocol. */
import type { Clock } from '../../clock.ts'
import type { Driver } from '../driver.ts'
import { createConsumer } from './consumer.ts'
import { createMetadataClient } from './metadata.ts'
import { takeInstalledCrc32c } from './native-crc32c.ts'
import { createProducer } from './producer.ts'
import { checkProperties } from './properties.ts'
import { createReader } from './reader.ts'

export const createWireDriver = (clock: Clock): Driver => {
  takeInstalledCrc32c()
  return driverOf(clock)
}

const driverOf = (clock: Clock): Driver => ({
  name: 'wire',
  version: '1',
  assignors: ['range', 'round-robin', 'cooperative-sticky'],
  compressions: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
  checkProperties,
  createProducer: (connection, options, sink) => createProducer(connection, options, sink, clock),
  createConsumer: (connection, options, sink) => createConsumer(connection, options, sink, clock),
  createReader: (connection, options, sink) => createReader(connection, options, sink, clock),
  createForeignReader: async (connection, options, sink) => {
    const { createKafkajsDriver } = await import('../kafkajs/driver.ts')
    return createKafkajsDriver(clock).createReader(connection, options, sink)
  },
  createMetadataClient: (connection) => createMetadataClient(connection, clock),
})
