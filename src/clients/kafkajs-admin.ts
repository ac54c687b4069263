/** Topics, offsets and groups through kafkajs' admin client. */
import { type Clock, systemClock } from '../clock.ts'
import type { Admin, ConnectionOptions } from './driver.ts'

/** Connects within `connectTimeoutMs`, else rejects with a `SurroundingsError` that names the address. */
export const openAdmin = (
  _connection: ConnectionOptions,
  _clock: Clock = systemClock,
): Promise<Admin> => {
  throw new Error('not yet')
}
