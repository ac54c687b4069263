/** The kafkajs driver: what it can do and where its parts are. */
import { createRequire } from 'node:module'
import type { Clock } from '../../clock.ts'
import type { Driver } from '../driver.ts'
import { registerCodecs } from './codecs.ts'
import { createConsumer } from './consumer.ts'
import { createMetadataClient } from './metadata.ts'
import { createProducer } from './producer.ts'
import { checkProperties } from './properties.ts'
import { createReader } from './reader.ts'

const { version } = createRequire(import.meta.url)('kafkajs/package.json') as { version: string }

export const createKafkajsDriver = (clock: Clock): Driver => {
  registerCodecs()
  return {
    name: 'kafkajs',
    version,
    assignors: ['range', 'round-robin'],
    compressions: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    checkProperties,
    createProducer: (connection, options, sink) => createProducer(connection, options, sink, clock),
    createConsumer: (connection, options, sink) => createConsumer(connection, options, sink, clock),
    createReader: (connection, options, sink) => createReader(connection, options, sink, clock),
    createMetadataClient: (connection) => createMetadataClient(connection, clock),
  }
}
