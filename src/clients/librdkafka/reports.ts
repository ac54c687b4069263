/** The delivery reports of one run, and what librdkafka's errors say about the log. */
import { messageOf } from '../../errors.ts'
import type { RecordRun, SendFailure } from '../driver.ts'
import { plainText } from './library.ts'

/** node-rdkafka hands on only the text of an error; these leave open whether the record is in the log. */
const unknownOutcomes = [
  'message timed out',
  'timed out',
  'purged in flight',
  'request timed out',
  'broker transport failure',
  'broker disconnected before response received',
  'message(s) written to insufficient number of in-sync replicas',
  'unknown broker error',
  'unknown',
]

/** The failure a delivery report tells of. */
export const failureOf = (error: Error, kafkaCodes: ReadonlyMap<string, number>): SendFailure => {
  const message = messageOf(error)
  return {
    isUnknown: unknownOutcomes.includes(plainText(message)),
    isConnectionLost: false,
    kafkaCode: kafkaCodes.get(plainText(message)) ?? null,
    message,
  }
}

export class RunReports {
  readonly run: RecordRun
  /** The lowest offset that was reported; -1 before. */
  baseOffset = -1
  #left: number
  #delivered = 0
  #failure: SendFailure | null = null

  constructor(run: RecordRun) {
    this.run = run
    this.#left = run.count
  }

  get isComplete(): boolean {
    return this.#left === 0
  }

  onDelivered(offset: number): void {
    this.#left -= 1
    this.#delivered += 1
    if (this.baseOffset < 0 || offset < this.baseOffset) this.baseOffset = offset
  }

  onFailure(failure: SendFailure): void {
    this.onNotQueued(1, failure)
  }

  /** `count` records failed alike. An unknown outcome stands for the whole run. */
  onNotQueued(count: number, failure: SendFailure): void {
    this.#left -= count
    if (this.#failure === null || failure.isUnknown) this.#failure = failure
  }

  /** Null when every record was delivered. A run that was delivered in part may have landed. */
  failure(): SendFailure | null {
    if (this.#failure === null) return null
    return { ...this.#failure, isUnknown: this.#failure.isUnknown || this.#delivered > 0 }
  }
}
