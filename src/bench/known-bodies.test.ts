import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { bodyMemoryOf } from './body-memory.ts'
import { crc32Of, remainderOf } from './crc32.ts'
import { allocateReceived, ByteView } from './known-bodies.ts'
import { createRandom } from './random.ts'

const random = createRandom(1, 1)

const bodyOf = (sizeBytes: number): Buffer => {
  const body = Buffer.alloc(sizeBytes)
  for (let at = 0; at < sizeBytes; at += 1) body[at] = random.nextU32()
  return body
}

/** Known bodies of bytes anywhere, and of bytes received where WebAssembly compares them. */
const places = ['anywhere', 'received'] as const

const knownBodies = (place: (typeof places)[number]) => {
  const shown = new ByteView()
  const received = place === 'received' ? allocateReceived(8_192) : null
  if (received !== null) expect(bodyMemoryOf(received.buffer)).not.toBeNull()
  return {
    matches: (bytes: Uint8Array, start: number, end: number, checksum: number): boolean => {
      received?.set(bytes)
      shown.show(received ?? bytes)
      return shown.bodies.matches(shown, start, end, checksum)
    },
  }
}

test('crc32 as zlib has it, for any length and place', () => {
  for (let length = 0; length < 70; length += 1) {
    const bytes = bodyOf(length + 3)
    expect(crc32Of(bytes, 3, length + 3) >>> 0).toBe(crc32(bytes.subarray(3)))
  }
})

test('a word leaves what it leaves in the whole', () => {
  const bytes = Buffer.alloc(32)
  const zero = crc32Of(bytes, 0, 32)
  bytes.writeUInt32BE(0xdead_beef, 12)
  expect(crc32Of(bytes, 0, 32)).toBe(zero ^ remainderOf(0xdead_beef, 16))
})

const sizes = [0, 1, 31, 32, 33, 34, 35, 47, 48, 49, 220, 255, 256, 1_003, 4_096, 5_000]

test.each(places.flatMap((place) => sizes.map((sizeBytes) => [sizeBytes, place] as const)))(
  'a body of %i bytes, %s, is right wherever it lies, and wrong with any byte changed, known or not',
  (sizeBytes, place) => {
    const known = knownBodies(place)
    const body = bodyOf(sizeBytes)
    const checksum = crc32(body) | 0
    for (let round = 0; round < 4; round += 1) {
      const bytes = Buffer.concat([Buffer.alloc(round + 1), body])
      const start = round + 1
      expect(known.matches(bytes, start, bytes.length, checksum)).toBe(true)
      for (
        let at = start;
        at < bytes.length;
        at += sizeBytes < 300 ? 1 : Math.floor(sizeBytes / 50)
      ) {
        bytes[at] = (bytes[at] as number) ^ 1
        expect(known.matches(bytes, start, bytes.length, checksum)).toBe(false)
        bytes[at] = (bytes[at] as number) ^ 1
      }
      const last = bytes.length - 1
      if (sizeBytes === 0) continue
      bytes[last] = (bytes[last] as number) ^ 0x80
      expect(known.matches(bytes, start, bytes.length, checksum)).toBe(false)
    }
  },
)

test.each(places)(
  'more bodies than there is room for, %s: each is judged by its bytes',
  (place) => {
    const known = knownBodies(place)
    const bodies = Array.from({ length: 6_000 }, () => bodyOf(4_000))
    const checksums = bodies.map((body) => crc32(body) | 0)
    for (let round = 0; round < 3; round += 1) {
      for (const [index, body] of bodies.entries()) {
        const checksum = checksums[index] as number
        if (!known.matches(body, 0, body.length, checksum)) throw new Error(`${index} is right`)
        if (known.matches(body, 0, body.length, checksum ^ 1)) throw new Error(`${index} is wrong`)
      }
    }
    expect(known.matches(bodies[0] as Buffer, 0, 4_000, checksums[1] as number)).toBe(false)
  },
)
