/** Reads fixed partitions from fixed offsets: no group, no commits. */
import type { Clock } from '../../clock.ts'
import { DriverError } from '../../errors.ts'
import type { ConnectionOptions, Consumer, ConsumerSink, ReaderOptions } from '../driver.ts'
import { fetchSettings, openForReading, tellCrash } from './fetch-settings.ts'
import { Fetcher } from './fetcher.ts'
import { booleanOf } from './properties.ts'

export const createReader = async (
  connection: ConnectionOptions,
  options: ReaderOptions,
  sink: ConsumerSink,
  clock: Clock,
): Promise<Consumer> => {
  const cluster = await openForReading(connection, options, clock)
  const fetcher = new Fetcher(
    cluster,
    connection,
    {
      settings: fetchSettings(cluster.clientId, connection, options),
      checksCrc: booleanOf(connection.properties, 'check.crcs', false),
      resetOffset: null,
      onCrash: (error) => tellCrash(sink, error, connection),
    },
    sink,
    clock,
  )
  return {
    start: async () => {
      fetcher.add(
        new Map(options.partitions.map(({ partition, fromOffset }) => [partition, fromOffset])),
      )
    },
    commit: () => Promise.reject(new DriverError('a reader has no group to commit to')),
    close: async () => {
      fetcher.close()
      cluster.close()
    },
  }
}
