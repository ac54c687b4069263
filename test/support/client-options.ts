/** Connection options and sinks for client tests. */
import type {
  BatchCursor,
  ConnectionOptions,
  ConsumerSink,
  GroupEvent,
  PayloadPlan,
  ProducerSink,
  RecordRun,
  SendFailure,
} from '../../src/clients/driver.ts'
import { systemClock } from '../../src/clock.ts'

export const connectionTo = (
  address: string,
  changes: Partial<ConnectionOptions> = {},
): ConnectionOptions => ({
  bootstrapServers: [address],
  clientId: 'bench-test',
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  security: { tls: null, sasl: null },
  properties: {},
  ...changes,
})

/** Values `<partition>-<sequence>`, and a header when `isSmall`. */
export const namedPayload = (isSmall = false): PayloadPlan => ({
  render: (run, index) => ({
    value: Buffer.from(isSmall ? '' : `${run.partition}-${run.firstSequence + index}`),
    header: isSmall ? { name: 'bench', value: Buffer.from(`${run.firstSequence + index}`) } : null,
  }),
})

export const runOf = (
  partition: number,
  count: number,
  changes: Partial<RecordRun> = {},
): RecordRun => ({
  partition,
  count,
  firstSequence: 0,
  intendedAtNs: new Float64Array(count),
  sentAtNs: systemClock.nowNs(),
  payload: namedPayload(),
  keys: null,
  ...changes,
})

export interface Ended {
  run: RecordRun
  baseOffset: number | null
  failure: SendFailure | null
}

/** Collects how runs ended; `ended(n)` resolves when `n` have. */
export const collectingProducerSink = () => {
  const all: Ended[] = []
  let requests = 0
  const waiting: { count: number; resolve: (ended: Ended[]) => void }[] = []
  const add = (ended: Ended): void => {
    all.push(ended)
    for (const { count, resolve } of waiting) if (all.length >= count) resolve(all)
  }
  const sink: ProducerSink = {
    onAck: (run, baseOffset) => add({ run, baseOffset, failure: null }),
    onFailure: (run, failure) => add({ run, baseOffset: null, failure }),
    onRequest: () => requests++,
  }
  const ended = (count: number): Promise<Ended[]> =>
    new Promise((resolve) => {
      if (all.length >= count) resolve(all)
      else waiting.push({ count, resolve })
    })
  return { sink, all, ended, requests: () => requests }
}

interface Received {
  partition: number
  offset: number
  value: string | null
  header: string | null
}

/** Collects records and events; `until(isMet)` resolves when the condition holds. */
export const collectingConsumerSink = () => {
  const records: Received[] = []
  const positions = new Map<number, number>()
  const events: GroupEvent[] = []
  const fetches: { serviceNs: number; hasRecords: boolean }[] = []
  const crashes: { message: string; isConnectionLost: boolean }[] = []
  const waiting = new Set<() => void>()
  const check = (): void => {
    for (const look of waiting) look()
  }
  const read = (batch: BatchCursor): void => {
    while (batch.next()) {
      const { bytes, valueStart, valueLength, partition, offset } = batch
      const value = Buffer.from(bytes.subarray(valueStart, valueStart + Math.max(0, valueLength)))
      const header = batch.benchHeader()
      records.push({
        partition,
        offset,
        value: valueLength === -1 ? null : value.toString(),
        header: header === null ? null : Buffer.from(header).toString(),
      })
    }
    positions.set(batch.partition, batch.toOffset)
  }
  const sink: ConsumerSink = {
    onBatch: (batch) => {
      read(batch)
      check()
    },
    onGroupEvent: (event) => {
      events.push(event)
      check()
    },
    onFetch: (serviceNs, hasRecords) => {
      fetches.push({ serviceNs, hasRecords })
      check()
    },
    onCrash: (error) => {
      crashes.push(error)
      check()
    },
  }
  const until = (isMet: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!isMet()) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })
  return { sink, records, positions, events, fetches, crashes, until }
}
