import type { Clock } from '../../clock.ts'
import type { Call } from '../context.ts'
import type { Defect } from './defect.ts'

/** Of the time between two requests of a connection: a cycle that was 9 long becomes 10. */
const addedShare = 1 / 9
/** Nothing is owed for the time that a client leaves its connection idle. */
const longestCycleMs = 100

interface Connection {
  lastAnswerNs: number
  /** Delay that is due; a timer waits whole milliseconds, so it is saved up, and what was waited too long is taken off. */
  owedNs: number
}

/** A steady tenth of the throughput of whoever waits for answers, however fast client and broker are. */
const createHold = () => {
  // A connection is known by the signal of its end.
  const connections = new WeakMap<AbortSignal, Connection>()
  return async (clock: Clock, { closed }: Call): Promise<void> => {
    const known = connections.get(closed)
    if (known === undefined) {
      connections.set(closed, { lastAnswerNs: clock.nowNs(), owedNs: 0 })
      return
    }
    const beginNs = clock.nowNs()
    known.owedNs += Math.min(beginNs - known.lastAnswerNs, longestCycleMs * 1e6) * addedShare
    const delayMs = Math.floor(known.owedNs / 1e6)
    if (delayMs > 0) {
      await new Promise<void>((resolve) => void clock.setTimer(delayMs, resolve))
      known.owedNs -= clock.nowNs() - beginNs
    }
    known.lastAnswerNs = clock.nowNs()
  }
}

/** What a comparison of two versions must find. */
export const slow: Defect = {
  name: 'slow',
  summary: 'holds answers to Produce and Fetch back so that they take a tenth of the time on top',
  source: 'a steady loss of throughput of 10 %, which a comparison of versions must find',
  apply(parts) {
    const hold = createHold()
    return {
      ...parts,
      handlers: {
        ...parts.handlers,
        async Produce(request, call, broker) {
          const response = await parts.handlers.Produce(request, call, broker)
          await hold(broker.clock, call)
          return response
        },
        async Fetch(request, call, broker) {
          const response = await parts.handlers.Fetch(request, call, broker)
          await hold(broker.clock, call)
          return response
        },
      },
    }
  },
}
