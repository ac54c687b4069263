/** The producer: not yet. */
import type { Clock } from '../../clock.ts'
import type { ConnectionOptions, Producer, ProducerOptions, ProducerSink } from '../driver.ts'

export const createProducer = (
  _connection: ConnectionOptions,
  _options: ProducerOptions,
  _sink: ProducerSink,
  _clock: Clock,
): Promise<Producer> => Promise.reject(new Error('not yet'))
