import type { Clock, Timer } from '../clock.ts'
import { readyCrc32c } from '../protocol/crc32c.ts'

/** What a broker has time for once it listens, and would else do while the first records wait. */

export interface WarmUpOptions {
  readonly clock: Clock
  /** Does a little of what the store has to do; false when nothing is left. */
  readonly prepareStore: () => boolean
  /** One line to the broker's log. */
  readonly log: (line: string) => void
}

/** The first client is answered before. */
const beginAfterMs = 50
const betweenMs = 1

/** Until it is done or cancelled. */
export const warmUp = ({ clock, prepareStore, log }: WarmUpOptions): Timer => {
  const goOn = (): void => {
    if (prepareStore()) timer = clock.setTimer(betweenMs, goOn)
  }
  let timer = clock.setTimer(beginAfterMs, () => {
    log(`CRC-32C by ${readyCrc32c()}`)
    goOn()
  })
  return { cancel: () => timer.cancel() }
}
