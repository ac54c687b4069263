/** Finds a client library by the name given with `--client` and loads only that one. */
import { type Clock, systemClock } from '../clock.ts'
import { UsageError } from '../errors.ts'
import type { Driver } from './driver.ts'

const available = ['kafkajs', 'platformatic', 'librdkafka']
const planned = ['wire']

/** Throws a `UsageError` when there is no such client (yet), or when its package is not installed. */
export const loadDriver = async (name: string, clock: Clock = systemClock): Promise<Driver> => {
  if (name === 'kafkajs') {
    const { createKafkajsDriver } = await import('./kafkajs/driver.ts')
    return createKafkajsDriver(clock)
  }
  if (name === 'platformatic') {
    const { createPlatformaticDriver } = await import('./platformatic/driver.ts')
    return createPlatformaticDriver(clock)
  }
  if (name === 'librdkafka') {
    const { createLibrdkafkaDriver } = await import('./librdkafka/driver.ts')
    return createLibrdkafkaDriver(clock)
  }
  const reason = planned.includes(name) ? 'not there yet' : 'unknown'
  throw new UsageError(`client ${name}: ${reason}; ${available.join(', ')} are allowed`)
}
