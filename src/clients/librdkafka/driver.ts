/** The driver for librdkafka through node-rdkafka, an optional package: what it can do and where its parts are. */
import type { Clock } from '../../clock.ts'
import type { Driver } from '../driver.ts'
import { checkProperties } from './connection.ts'
import { createConsumer, createReader } from './consumer.ts'
import { loadLibrary } from './library.ts'
import { createMetadataClient } from './metadata.ts'
import { createProducer } from './producer.ts'

const codecs = ['gzip', 'snappy', 'lz4', 'zstd'] as const

/** Throws a `UsageError` with what to install when the package is missing. */
export const createLibrdkafkaDriver = async (clock: Clock): Promise<Driver> => {
  const { library, version, kafkaCodes } = await loadLibrary()
  const parts = { library, kafkaCodes, clock }
  return {
    name: 'librdkafka',
    version: `${library.librdkafkaVersion} (node-rdkafka ${version})`,
    // Its cooperative-sticky assigns and revokes by parts, which the seam's events cannot say.
    assignors: ['range', 'round-robin'],
    compressions: [
      'none',
      ...codecs.filter((codec) => codec === 'gzip' || library.features.includes(codec)),
    ],
    hasOnlyTextHeaders: true,
    checkProperties: (properties) => checkProperties(library, properties),
    createProducer: (connection, options, sink) => createProducer(parts, connection, options, sink),
    createConsumer: (connection, options, sink) => createConsumer(parts, connection, options, sink),
    createReader: (connection, options, sink) => createReader(parts, connection, options, sink),
    createMetadataClient: (connection) => createMetadataClient(parts, connection),
  }
}
