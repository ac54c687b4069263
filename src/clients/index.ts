/** Finds a client library by the name given with `--client` and loads only that one. */
import { type Clock, systemClock } from '../clock.ts'
import { UsageError } from '../errors.ts'
import type { Driver } from './driver.ts'

const planned = ['wire', 'librdkafka', 'platformatic']

/** Throws a `UsageError` when there is no such client (yet). */
export const loadDriver = async (name: string, clock: Clock = systemClock): Promise<Driver> => {
  if (name === 'kafkajs') {
    const { createKafkajsDriver } = await import('./kafkajs.ts')
    return createKafkajsDriver(clock)
  }
  const reason = planned.includes(name) ? 'not there yet' : 'unknown'
  throw new UsageError(`client ${name}: ${reason}; kafkajs is allowed`)
}
