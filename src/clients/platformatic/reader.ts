/** Reads fixed partitions from fixed offsets: no group, no commit and no join to wait for. */
import { DriverError } from '../../errors.ts'
import type { ConnectionOptions, Consumer, ConsumerSink, ReaderOptions } from '../driver.ts'
import { neededApis, probe, type Surroundings } from './connection.ts'
import { crashOf } from './errors.ts'
import { Fetcher } from './fetcher.ts'

export const createReader = async (
  surroundings: Surroundings,
  connection: ConnectionOptions,
  options: ReaderOptions,
  sink: ConsumerSink,
): Promise<Consumer> => {
  const told = await probe(surroundings, connection, {
    topics: [options.topic],
    needed: neededApis.read,
  })
  const fetcher = new Fetcher(surroundings, connection, options, sink, told, {
    resetsToEarliest: false,
    onCrash: (error) => sink.onCrash(crashOf(error, connection)),
  })
  const positions = options.partitions.map((one) => [one.partition, one.fromOffset] as const)
  const round = { positions: new Map(positions), isOver: false }
  let running: Promise<void> = Promise.resolve()
  return {
    start: () => {
      running = fetcher.run(round)
      return Promise.resolve()
    },
    commit: () => Promise.reject(new DriverError('a reader has no group to commit to')),
    close: async () => {
      round.isOver = true
      await fetcher.close()
      await running
    },
  }
}
