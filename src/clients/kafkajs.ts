/** The kafkajs driver: what it can do and where its parts are. */
import type { Clock } from '../clock.ts'
import type { Driver } from './driver.ts'

export const createKafkajsDriver = (_clock: Clock): Driver => {
  throw new Error('not yet')
}
