import { type BatchOptions, encodeBatch } from '../../src/protocol/record-batch.ts'

/** A batch of `count` small records, the i-th at `timestampMs` + i. */
export const batchOf = (
  count: number,
  options: BatchOptions & { timestampMs?: number; valueBytes?: number } = {},
): Buffer =>
  encodeBatch(
    Array.from({ length: count }, (_, i) => ({
      key: null,
      value: Buffer.alloc(options.valueBytes ?? 10, i),
      timestampMs: (options.timestampMs ?? 1_700_000_000_000) + i,
    })),
    options,
  )
