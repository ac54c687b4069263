import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameSplitter } from './framing.ts'

const framed = (body: Buffer): Buffer => {
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

const cut = (stream: Buffer, sizes: readonly number[]): Buffer[] => {
  const chunks: Buffer[] = []
  let start = 0
  for (const size of sizes) {
    chunks.push(stream.subarray(start, start + size))
    start += size
  }
  chunks.push(stream.subarray(start))
  return chunks
}

describe('FrameSplitter', () => {
  it('gives the same frames however the stream is cut', () => {
    const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 })
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(30), { maxLength: 40 }), (arrays, sizes) => {
        const frames = arrays.map((array) => Buffer.from(array))
        const splitter = new FrameSplitter(40)
        const stream = Buffer.concat(frames.map(framed))
        const found = cut(stream, sizes).flatMap((chunk) => splitter.push(chunk))
        expect(found).toEqual(frames)
        expect(splitter.pendingBytes).toBe(0)
      }),
      { numRuns: 300 },
    )
  })

  it('gives a frame that lies in one chunk as a view of it', () => {
    const chunk = framed(Buffer.from('abc'))
    const [frame] = new FrameSplitter(10).push(chunk)
    expect(frame?.buffer).toBe(chunk.buffer)
  })

  it.each([0, -1, 11, 0x7fffffff, -0x80000000])('refuses the size %d at once', (size) => {
    const splitter = new FrameSplitter(10)
    const chunk = Buffer.alloc(4)
    chunk.writeInt32BE(size)
    expect(() => splitter.push(chunk)).toThrow(`frame of ${size} bytes; 1 to 10 are allowed`)
  })

  it('refuses what is not Kafka', () => {
    const request = Buffer.from('GET / HTTP/1.1\r\n\r\n')
    expect(() => new FrameSplitter(100 * 2 ** 20).push(request)).toThrow(
      'frame of 1195725856 bytes',
    )
  })

  it('allocates no more than a constant for a size that is only declared', () => {
    const splitter = new FrameSplitter(2 ** 30)
    const before = process.memoryUsage().arrayBuffers
    const start = Buffer.alloc(5)
    start.writeInt32BE(2 ** 30)
    splitter.push(start)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20)
    expect(splitter.pendingBytes).toBe(5)
  })

  it('puts a large frame together from small chunks and copies each byte only a few times', () => {
    const body = Buffer.alloc(3 * 2 ** 20, 7)
    const stream = framed(body)
    const splitter = new FrameSplitter(body.length)
    let copiedBytes = 0
    const spy = Buffer.prototype.copy
    Buffer.prototype.copy = function copy(...args: Parameters<typeof spy>): number {
      const bytes = spy.apply(this, args)
      copiedBytes += bytes
      return bytes
    }
    const frames: Buffer[] = []
    try {
      for (let start = 0; start < stream.length; start += 1_000) {
        frames.push(...splitter.push(stream.subarray(start, start + 1_000)))
      }
    } finally {
      Buffer.prototype.copy = spy
    }
    expect(frames).toHaveLength(1)
    expect(frames[0]?.equals(body)).toBe(true)
    expect(copiedBytes).toBeLessThan(3 * body.length)
  })
})
