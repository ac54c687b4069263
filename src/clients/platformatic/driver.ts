/** The driver for @platformatic/kafka, an optional package: what it can do and where its parts are. */
import type { Clock } from '../../clock.ts'
import type { Compression, Driver } from '../driver.ts'
import { createConsumer } from './consumer.ts'
import { loadLibrary } from './library.ts'
import { createMetadataClient } from './metadata.ts'
import { createProducer } from './producer.ts'
import { checkProperties } from './properties.ts'
import { createReader } from './reader.ts'

const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** Throws a `UsageError` with what to install when the package is missing. */
export const createPlatformaticDriver = async (clock: Clock): Promise<Driver> => {
  const { library, version } = await loadLibrary()
  const parts = { library, version, clock }
  return {
    name: 'platformatic',
    version,
    assignors: ['range', 'round-robin'],
    // Its zstd is that of Node.js, which has it from 22.15 on.
    compressions: compressions.filter((name) => library.compressionsAlgorithms[name]?.available),
    checkProperties,
    createProducer: (connection, options, sink) => createProducer(parts, connection, options, sink),
    createConsumer: (connection, options, sink) => createConsumer(parts, connection, options, sink),
    createReader: (connection, options, sink) => createReader(parts, connection, options, sink),
    createMetadataClient: (connection) => createMetadataClient(parts, connection),
  }
}
