import { expect, it } from 'vitest'
import {
  produceResult,
  roundTripResult,
  samplePartition,
} from '../../test/support/sample-result.ts'
import { accountOf } from './verification.ts'

it('counts a round trip as its partitions do, warm-up included, so that acked and consumed can be compared', () => {
  const result = roundTripResult()
  const partitions = [samplePartition({ acked: 120, highAfter: 120, consumed: 120 })]
  const account = accountOf({
    ...result,
    partitions,
    totals: { ...result.totals, records: 100, received: 100 },
    warmup: { ...result.warmup, records: 20 },
  })
  expect(account).toMatchObject({ acked: 120, watermarkDelta: 120, consumed: 120 })
})

it('calls nothing acked that was only written, with acks=0', () => {
  const partitions = [samplePartition({ acked: 0, highAfter: 100 })]
  const { totals, config, ...result } = produceResult()
  const account = accountOf({
    ...result,
    partitions,
    totals: { ...totals, records: 100 },
    warmup: { ...result.warmup, records: 0 },
    config: { ...config, acks: 0 },
  })
  expect(account).toMatchObject({ acked: 0, written: 100, watermarkDelta: 100 })
})
