import { expect, test } from 'vitest'
import { type Codec, compress, readyCompression } from '../../protocol/compression.ts'
import { type BatchOptions, encodeBatch, type RecordInput } from '../../protocol/record-batch.ts'
import { type AbortedTransaction, extentOf, RecordCursor } from './record-cursor.ts'

const record = (value: string | null, changes: Partial<RecordInput> = {}): RecordInput => ({
  key: null,
  value: value === null ? null : Buffer.from(value),
  timestampMs: 1_000,
  ...changes,
})

const batchOf = (baseOffset: number, values: (string | null)[], options: BatchOptions = {}) =>
  encodeBatch(
    values.map((value) => record(value)),
    { baseOffset, ...options },
  )

const open = (
  records: Buffer,
  fromOffset = 0,
  { aborted = [], checksCrc = false }: { aborted?: AbortedTransaction[]; checksCrc?: boolean } = {},
) =>
  new RecordCursor(
    { partition: 0, records, fromOffset, receivedAtNs: 0, aborted },
    extentOf(records, fromOffset),
    checksCrc,
  )

const walk = (cursor: RecordCursor): [number, string | null][] => {
  const seen: [number, string | null][] = []
  while (cursor.next()) {
    const { bytes, valueStart, valueLength, offset } = cursor
    const value = Buffer.from(bytes.subarray(valueStart, valueStart + Math.max(0, valueLength)))
    seen.push([offset, valueLength === -1 ? null : value.toString()])
  }
  return seen
}

test('records of several batches, with keys, without values, far from their batch', () => {
  const long = 'x'.repeat(20_000)
  const many = Array.from({ length: 200 }, (_, index) => `v${index}`)
  const keyed = encodeBatch(
    [record('a', { key: Buffer.from('k') }), record(null), record('', { timestampMs: 2 ** 40 })],
    { baseOffset: 5 },
  )
  const records = Buffer.concat([keyed, batchOf(8, [long]), batchOf(2 ** 40, many)])
  const seen = walk(open(records, 5))
  expect(seen.slice(0, 4)).toEqual([
    [5, 'a'],
    [6, null],
    [7, ''],
    [8, long],
  ])
  expect(seen.slice(4)).toEqual(many.map((value, index) => [2 ** 40 + index, value]))
})

test('what lies before the wanted offset is passed over, and a batch cut off at the end too', () => {
  const next = batchOf(13, ['no'])
  const records = Buffer.concat([batchOf(10, ['a', 'b', 'c']), next.subarray(0, next.length - 1)])
  const cursor = open(records, 12)
  expect([cursor.fromOffset, cursor.toOffset]).toEqual([12, 13])
  expect(walk(cursor)).toEqual([[12, 'c']])
})

test.each([1, 2, 3, 4] as Codec[])('codec %i', async (codec) => {
  await readyCompression(codec)
  const packed = batchOf(0, ['a', 'b'], {
    attributes: codec,
    compress: (data) => compress(codec, data),
  })
  expect(walk(open(Buffer.concat([packed, batchOf(2, ['c'])])))).toEqual([
    [0, 'a'],
    [1, 'b'],
    [2, 'c'],
  ])
})

const control = 0x30
const transactional = 0x10
const markerOf = (baseOffset: number, producerId: number, type: 0 | 1): Buffer =>
  encodeBatch([record('', { key: Buffer.from([0, 0, 0, type]) })], {
    baseOffset,
    producerId,
    attributes: control,
  })

test('control batches move the position and have no records', () => {
  const cursor = open(Buffer.concat([batchOf(0, ['a']), markerOf(1, 7, 1)]))
  expect(walk(cursor)).toEqual([[0, 'a']])
  expect(cursor.toOffset).toBe(2)
})

test('aborted transactions are passed over up to their marker, and nobody else', () => {
  const of = (producerId: number) => ({ producerId, attributes: transactional })
  const records = Buffer.concat([
    batchOf(0, ['kept'], of(8)),
    batchOf(1, ['aborted'], of(7)),
    batchOf(2, ['plain'], { producerId: 7 }),
    markerOf(3, 7, 0),
    batchOf(4, ['after'], of(7)),
    markerOf(5, 8, 1),
  ])
  const seen = walk(open(records, 0, { aborted: [{ producerId: 7, firstOffset: 1 }] }))
  expect(seen).toEqual([
    [0, 'kept'],
    [2, 'plain'],
    [4, 'after'],
  ])
})

test('the bench header is found among others, and only then', () => {
  const headers = [
    ['other', Buffer.from('x')],
    ['bench', Buffer.from('mine')],
  ] as const
  const records = encodeBatch([record('a', { headers }), record('b'), record('c', { headers })])
  const cursor = open(records)
  const found: (string | undefined)[] = []
  while (cursor.next()) {
    const header = cursor.benchHeader()
    found.push(header === null ? undefined : Buffer.from(header).toString())
  }
  expect(found).toEqual(['mine', undefined, 'mine'])
})

test('a wrong CRC is found when it is looked at', () => {
  const records = batchOf(0, ['abc'])
  records[records.length - 3] = (records[records.length - 3] as number) ^ 1
  expect(() => walk(open(records, 0, { checksCrc: true }))).toThrow('offset 0 has a wrong CRC')
  expect(walk(open(records))).toHaveLength(1)
})

test('lengths that lie are refused, never read beyond', () => {
  const sound = batchOf(0, ['abcdef', 'ghi'])
  for (let at = 61; at < sound.length; at++) {
    for (const byte of [0x00, 0x7f, 0x80, 0xff]) {
      const damaged = Buffer.from(sound)
      damaged[at] = byte
      const cursor = open(damaged)
      try {
        while (cursor.next()) {
          expect(cursor.valueStart + cursor.valueLength).toBeLessThanOrEqual(damaged.length)
          cursor.benchHeader()
        }
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
    }
  }
})

test('what is no batch, or larger than a fetch may be, is refused', () => {
  const old = batchOf(0, ['a'])
  old[16] = 1
  expect(() => extentOf(old, 0)).toThrow('no batch of format 2')
  expect(() => extentOf(batchOf(0, ['abc']).subarray(0, 65), 0)).toThrow('larger than')
  expect(extentOf(Buffer.alloc(0), 9)).toEqual({ sizeBytes: 0, toOffset: 9 })
})

/** The offsets that a walk stops at when it passes what is alike, and how many that is each time. */
const passed = (cursor: RecordCursor, most: number): { offsets: number[]; counts: number[] } => {
  const [offsets, counts]: [number[], number[]] = [[], []]
  while (cursor.next()) {
    const { strideBytes, valueStart } = cursor
    const count = cursor.countAlike(most)
    counts.push(count)
    offsets.push(cursor.offset)
    cursor.pass(count)
    expect(cursor.valueStart).toBe(valueStart + count * strideBytes)
    if (count > 0) offsets.push(cursor.offset)
  }
  return { offsets, counts }
}

test('records that lie alike are counted, and passed over', () => {
  const many = Array.from({ length: 200 }, (_, index) => `value ${index % 10}`)
  const records = Buffer.concat([batchOf(0, many), batchOf(200, ['a', 'b'])])
  // From the 64th on an offset takes two bytes.
  expect(passed(open(records), 1_000)).toEqual({
    offsets: [0, 63, 64, 199, 200, 201],
    counts: [63, 135, 1],
  })
  expect(passed(open(records, 190), 5).offsets).toEqual([190, 195, 196, 199, 200, 201])
  const cursor = open(records)
  cursor.next()
  cursor.pass(cursor.countAlike(10))
  expect(
    Buffer.from(cursor.bytes).toString('latin1', cursor.valueStart, cursor.valueStart + 7),
  ).toBe('value 0')
})

test('records that lie otherwise are not alike', () => {
  const plain = record('value')
  const others: RecordInput[] = [
    record('valu'),
    record('value', { key: Buffer.from('') }),
    record('valu', { key: Buffer.from('k') }),
    record('value', { timestampMs: 1_001 }),
    record('valu', { headers: [] }),
    record('va', { headers: [['', null]] }),
    record(null),
    record('x'.repeat(20_000)),
  ]
  for (const other of others) {
    const cursor = open(encodeBatch([plain, plain, other, plain], { baseOffset: 0 }))
    expect(passed(cursor, 9).counts).toEqual([1, 0, 0])
  }
  const keyed = record('value', { key: Buffer.from('k') })
  const headed = record('value', { headers: [['h', null]] })
  for (const other of [keyed, headed, record(null)]) {
    const cursor = open(encodeBatch([other, other, other], { baseOffset: 0 }))
    expect(passed(cursor, 9).counts).toEqual(other === keyed ? [2] : [0, 0, 0])
  }
})

test('a gap in the offsets, and a record of other bytes that is as long, end what is alike', () => {
  const batch = batchOf(0, ['aaaa', 'bbbb', 'cccc', 'dddd'])
  const recordBytes = (batch.length - 61) / 4
  for (let at = 61 + 2 * recordBytes; at < 61 + 3 * recordBytes; at += 1) {
    const isOfValue = at >= batch.indexOf('cccc') && at < batch.indexOf('cccc') + 4
    const changed = Buffer.from(batch)
    changed[at] = (changed[at] as number) ^ 2
    const cursor = open(changed)
    cursor.next()
    expect(cursor.countAlike(9)).toBe(isOfValue ? 3 : 1)
  }
})
