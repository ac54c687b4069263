/** Finds a client library by the name given with `--client` and loads only that one. */
import { type Clock, systemClock } from '../clock.ts'
import { UsageError } from '../errors.ts'
import type { Driver } from './driver.ts'

const available = ['kafkajs', 'wire', 'platformatic', 'librdkafka']

/** Throws a `UsageError` when there is no such client, or when its package is not installed. */
export const loadDriver = async (name: string, clock: Clock = systemClock): Promise<Driver> => {
  if (name === 'kafkajs') {
    const { createKafkajsDriver } = await import('./kafkajs/driver.ts')
    return createKafkajsDriver(clock)
  }
  if (name === 'wire') {
    const { createWireDriver } = await import('./wire/driver.ts')
    return createWireDriver(clock)
  }
  if (name === 'platformatic') {
    const { createPlatformaticDriver } = await import('./platformatic/driver.ts')
    return createPlatformaticDriver(clock)
  }
  if (name === 'librdkafka') {
    const { createLibrdkafkaDriver } = await import('./librdkafka/driver.ts')
    return createLibrdkafkaDriver(clock)
  }
  throw new UsageError(`client ${name}: unknown; ${available.join(', ')} are allowed`)
}
