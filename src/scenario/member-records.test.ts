import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { headerSizeBytes, writeHeader } from '../bench/record-header.ts'
import { ObjectCursor } from '../clients/object-cursor.ts'
import { recordRunsOf } from './member-records.ts'

interface Given {
  offset: number
  value: Buffer
}

class ListCursor extends ObjectCursor {
  readonly #records: readonly Given[]
  #index = 0

  constructor(records: readonly Given[]) {
    super({ partition: 0, fromOffset: 0, toOffset: 100 }, 0)
    this.#records = records
  }

  next(): boolean {
    const record = this.#records[this.#index++]
    if (record === undefined) return false
    this.show(record.offset, record.value)
    return true
  }

  benchHeader(): null {
    return null
  }
}

const value = (sequence: number, run = 7, producer = 0): Buffer => {
  const bytes = Buffer.alloc(headerSizeBytes + 4)
  const body = crc32(bytes.subarray(headerSizeBytes))
  writeHeader(bytes, 0, { run, producer, sequence, intendedAtEpochUs: 0 }, body)
  return bytes
}

const runsOf = (records: readonly Given[]) => recordRunsOf(new ListCursor(records))

test('consecutive records are one run', () => {
  const records = [10, 11, 12].map((offset) => ({ offset, value: value(offset + 90) }))
  expect(runsOf(records)).toEqual([[10, 3, 7, 0, 100]])
})

test('a hole, a repetition, another producer and another run each begin a new run', () => {
  const records = [
    { offset: 0, value: value(0) },
    { offset: 2, value: value(1) },
    { offset: 3, value: value(1) },
    { offset: 4, value: value(2, 7, 1) },
    { offset: 5, value: value(3, 8, 1) },
  ]
  expect(runsOf(records)).toEqual([
    [0, 1, 7, 0, 0],
    [2, 1, 7, 0, 1],
    [3, 1, 7, 0, 1],
    [4, 1, 7, 1, 2],
    [5, 1, 8, 1, 3],
  ])
})

test('records of others and damaged ones are told apart', () => {
  const damaged = value(3)
  damaged[headerSizeBytes] = 1
  const records = [
    { offset: 0, value: Buffer.alloc(50) },
    { offset: 1, value: Buffer.from('short') },
    { offset: 2, value: damaged },
    { offset: 3, value: value(4) },
  ]
  expect(runsOf(records)).toEqual([
    [0, 2, -1, 0, 0],
    [2, 1, -2, 0, 0],
    [3, 1, 7, 0, 4],
  ])
})
