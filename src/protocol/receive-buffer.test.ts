import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ReceiveBuffer } from './receive-buffer.ts'

/** Feeds `stream` in pieces of at most `pieceBytes` and returns the frames. */
const cut = (stream: Buffer, pieceBytes: number): string[] => {
  const buffer = new ReceiveBuffer({ sizeBytes: 16 * 1024 })
  const frames: string[] = []
  for (let at = 0; at < stream.length; ) {
    const room = buffer.room()
    expect(room.length).toBeGreaterThan(0)
    const count = stream.copy(room, 0, at, Math.min(stream.length, at + pieceBytes))
    buffer.add(count)
    at += count
    for (let frame = buffer.next(); frame !== null; frame = buffer.next()) {
      frames.push(buffer.bytes.toString('hex', frame.start, frame.end))
    }
  }
  return frames
}

const framed = (bodies: readonly Uint8Array[]): Buffer =>
  Buffer.concat(
    bodies.flatMap((body) => {
      const size = Buffer.alloc(4)
      size.writeInt32BE(body.length)
      return [size, body]
    }),
  )

test('every frame comes out whole, in order, however the bytes arrive', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 4, max: 60_000 }), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 40_000 }),
      (sizes, pieceBytes) => {
        const bodies = sizes.map((size, index) => Buffer.alloc(size, index + 1))
        const pieces = Math.max(pieceBytes, Math.ceil(sizes.reduce((a, b) => a + b, 0) / 500))
        expect(cut(framed(bodies), pieces)).toEqual(bodies.map((body) => body.toString('hex')))
      },
    ),
    { numRuns: 60 },
  )
})

test.each([-1, 0, 3, 2 ** 30])(
  'a frame of %i bytes is refused, and room is there all the same',
  (size) => {
    const buffer = new ReceiveBuffer({ sizeBytes: 16 * 1024 })
    buffer.room().writeInt32BE(size)
    buffer.add(4)
    expect(() => buffer.next()).toThrow(`frame of ${size} bytes`)
    expect(buffer.room().length).toBeGreaterThan(0)
    expect(buffer.bytes.length).toBeLessThanOrEqual(32 * 1024)
  },
)

test('a frame that is only declared takes no more memory than four times what has arrived', () => {
  const buffer = new ReceiveBuffer({ sizeBytes: 16 * 1024 })
  buffer.room().writeInt32BE(100 * 2 ** 20)
  for (let arrivedBytes = 4; arrivedBytes < 300_000; arrivedBytes += 10_000) {
    buffer.add(10_000)
    buffer.room()
    expect(buffer.bytes.length).toBeLessThanOrEqual(4 * (arrivedBytes + 10_000))
  }
})

test('grows while reads fill it, up to its bound, and keeps what is in use where it is', () => {
  const buffer = new ReceiveBuffer({ sizeBytes: 16 * 1024, busySizeBytes: 64 * 1024 })
  for (let i = 0; i < 6; i++) {
    const room = buffer.room()
    room.fill(0)
    for (let at = 0; at < room.length; at += 8) room.writeInt32BE(4, at)
    buffer.add(room.length)
    while (buffer.next() !== null);
  }
  expect(buffer.bytes.length).toBe(64 * 1024)
  buffer.room().writeInt32BE(60 * 1024)
  buffer.add(60 * 1024 + 4)
  const frame = buffer.next()
  const view = buffer.bytes.subarray(frame?.start, frame?.end).fill(7)
  buffer.room(true).fill(1)
  expect(view.every((byte) => byte === 7)).toBe(true)
})
