import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Codec, compress, decompress, readyCompression } from './compression.ts'
import { xxh32 } from './xxh32.ts'

const fixture = (name: string): Buffer =>
  readFileSync(new URL(`../../test/fixtures/compressed/${name}`, import.meta.url))
const text = gunzipSync(fixture('gzip'))
const codecs: Codec[] = [1, 2, 3, 4]

beforeAll(async () => {
  for (const codec of codecs) await readyCompression(codec)
})

test.each<[Codec, string]>([
  [1, 'gzip'],
  [2, 'snappy.raw'],
  [2, 'snappy.xerial'],
  [3, 'lz4.frame'],
  [3, 'lz4-linked-checked.frame'],
  [4, 'zstd.sized'],
  [4, 'zstd.streamed'],
])('codec %i reads what another implementation wrote: %s', (codec, name) => {
  expect(text.length).toBeGreaterThan(65_536)
  expect(decompress(codec, fixture(name), text.length).equals(text)).toBe(true)
})

describe.each(codecs)('codec %i', (codec) => {
  const samples: [string, Buffer][] = [
    ['text', text],
    ['nothing', Buffer.alloc(0)],
    ['one byte', Buffer.from('x')],
    ['zeros', Buffer.alloc(200_000)],
    ['random bytes', randomBytes(150_000)],
    ['a repeated byte and its end', Buffer.from(`${'a'.repeat(40)}bcdefghijklmnopq`)],
    ...[4, 5, 12, 13, 16, 17, 31, 60, 61, 64, 65, 256, 257].map((length): [string, Buffer] => [
      `${length} bytes`,
      text.subarray(0, length),
    ]),
  ]

  test.each(samples)('gives back %s', (_name, data) => {
    expect(decompress(codec, compress(codec, data), data.length + 1).equals(data)).toBe(true)
  })

  test('makes text smaller', () => {
    expect(compress(codec, text).length).toBeLessThan(text.length / 3)
  })

  test('stops at the bound', () => {
    const bomb = compress(codec, Buffer.alloc(1_000_000))
    expect(() => decompress(codec, bomb, 999_999)).toThrow(/than|larger/)
    expect(() => decompress(codec, bomb, 10)).toThrow(/than|larger/)
  })

  test('throws for every cut and for noise', () => {
    const whole = compress(codec, text.subarray(0, 700))
    for (let length = 0; length < whole.length; length++) {
      expect(() => {
        const data = decompress(codec, whole.subarray(0, length), 1_000)
        // A xerial stream may end after its header: that is no content.
        if (codec === 2 && data.length === 0) throw new Error('nothing')
      }).toThrow()
    }
    for (let i = 0; i < 200; i++) {
      const noise = createHash('sha384').update(`noise ${i}`).digest()
      expect(() => decompress(codec, noise, 30)).toThrow()
    }
  })

  test('survives any flipped byte', () => {
    const whole = compress(codec, text.subarray(0, 700))
    for (let i = 0; i < whole.length; i++) {
      const damaged = Buffer.from(whole)
      damaged[i] = (damaged[i] as number) ^ 0xff
      try {
        expect(decompress(codec, damaged, 1_000).length).toBeLessThanOrEqual(1_000)
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }
  })
})

test('a damaged content checksum of lz4 is seen', () => {
  const frame = fixture('lz4-linked-checked.frame')
  frame[frame.length - 1] = (frame.at(-1) as number) ^ 1
  expect(() => decompress(3, frame, text.length)).toThrow('damaged')
})

test('xxh32 of known texts', () => {
  expect(xxh32(Buffer.alloc(0)).toString(16)).toBe('2cc5d05')
  expect(xxh32(Buffer.from('abc')).toString(16)).toBe('32d153ff')
  expect(xxh32(Buffer.from('Nobody inspects the spammish repetition')).toString(16)).toBe(
    'e2293b2f',
  )
})

test.each([
  ['a copy from before the beginning', [8, 0x00, 0x61, 0x0d, 2]],
  ['a copy of offset 0', [5, 0x00, 0x61, 0x01, 0]],
  ['a literal beyond the block', [9, 0x20, 0x61]],
  ['a literal of 4 GiB', [9, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x61]],
  ['more than its length says', [1, 0x04, 0x61, 0x62]],
  ['less than its length says', [9, 0x04, 0x61, 0x62]],
])('snappy with %s is damaged', (_name, bytes) => {
  expect(() => decompress(2, Buffer.from(bytes), 100)).toThrow('damaged')
})
