/**
 * CRC-32C in WebAssembly, several times as fast as in JavaScript. Most of the data are not looked up in tables but moved on:
 * there are sums of few powers of x that the polynomial divides, so a byte counts as much as the same byte at each of a few
 * places behind it. What is left at the end goes through tables, in slices of 16 bytes. The module is assembled here, from
 * what each instruction says in the WebAssembly core specification.
 */

const op = {
  block: 0x02,
  loop: 0x03,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  get: 0x20,
  set: 0x21,
  load: 0x28,
  load8: 0x2d,
  store: 0x36,
  const: 0x41,
  gtU: 0x4b,
  geU: 0x4f,
  add: 0x6a,
  and: 0x71,
  xor: 0x73,
  shl: 0x74,
  shrU: 0x76,
  vector: 0xfd,
} as const
/** What follows `op.vector`. */
const vectorOp = { load: 0x00, store: 0x0b, const: 0x0c, xor: 0x51 } as const
const i32 = 0x7f
const noResult = 0x40

const leb = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)]
/** A constant below 2^31; the sign bit of its last byte stays clear. */
const constant = (value: number): number[] => {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x40; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return [op.const, ...bytes, rest]
}
const get = (local: number): number[] => [op.get, local]
const set = (local: number): number[] => [op.set, local]
const load = (offset: number): number[] => [op.load, 2, ...leb(offset)]
const loadVector = (offset: number): number[] => [op.vector, vectorOp.load, 0, ...leb(offset)]
const storeVector = (offset: number): number[] => [op.vector, vectorOp.store, 0, ...leb(offset)]
const xorVectors: readonly number[] = [op.vector, vectorOp.xor]
const zeroVector: readonly number[] = [op.vector, vectorOp.const, ...Array<number>(16).fill(0)]

/**
 * How far behind a byte the places are at which it counts as much: the polynomial divides x^8k + the sum of x^8(k - distance), k being the
 * last of them. Found by search; all are larger than what a processor has under way at a time, or it would wait. The method
 * is that of "Chorba: A novel CRC32 implementation" (Russell, 2024).
 */
export const distances = [154, 177, 183, 258, 290] as const
const longestDistance = 290

const sliceBytes = 16
const tableBytes = 1_024
const dataAt = 64 * 1024
/** What one call can take; longer data goes in pieces. */
const pieceBytes = 64 * 1024
/** As far behind each byte of the data is what it moves on, with zeros before the first and behind the last. */
const movedBehind = 128 * 1024
const pages = 5
/** Less is left to JavaScript. */
const leastBytes = 16

/** Locals: where to read, where to end, the register, the four words of a slice, and how far all has been moved on. */
const at = 0
const until = 1
const crc = 2
const words = [3, 4, 5, 6] as const
const movedUntil = 7

/** The entry of `table` for byte `byte` (0 is the lowest) of a word. */
const lookUp = (word: number, byte: number, table: number): number[] => [
  ...get(word),
  ...(byte === 0 ? [...constant(2), op.shl] : [...constant(8 * byte - 2), op.shrU]),
  ...constant(0x3fc),
  op.and,
  ...load(table * tableBytes),
]

const slice = (): number[] => [
  ...words.flatMap((word, index) => [
    ...get(at),
    ...load(4 * index),
    ...(index === 0 ? [...get(crc), op.xor] : []),
    ...set(word),
  ]),
  ...words.flatMap((word, index) =>
    [0, 1, 2, 3].flatMap((byte) => {
      const place = 4 * index + byte
      const entry = lookUp(word, byte, sliceBytes - 1 - place)
      return place === 0 ? entry : [...entry, op.xor]
    }),
  ),
  ...set(crc),
]

const advance = (bytes: number): number[] => [...get(at), ...constant(bytes), op.add, ...set(at)]

/** Runs `body` while `isOver` leaves 0. */
const repeat = (isOver: readonly number[], body: readonly number[]): number[] => [
  ...[op.block, noResult, op.loop, noResult],
  ...[...isOver, op.brIf, 1],
  ...[...body, op.br, 0],
  ...[op.end, op.end],
]

const oneByte = (): number[] => [
  ...[...get(crc), ...get(at), op.load8, 0, 0, op.xor],
  ...[...constant(0xff), op.and, ...constant(2), op.shl, ...load(0)],
  ...[...get(crc), ...constant(8), op.shrU, op.xor, ...set(crc)],
]

const isAtEnd: readonly number[] = [...get(at), ...get(until), op.geU]
/** Whether fewer than so many bytes are left. */
const hasLessThan = (bytes: number): number[] => [
  ...[...get(at), ...constant(bytes), op.add, ...get(until), op.gtU],
]

/** 16 bytes of the data, with what was moved to them. */
const withMoved = (): number[] => [
  ...[...get(at), ...loadVector(0)],
  ...distances.flatMap((distance) => [
    ...[...get(at), ...loadVector(movedBehind - distance), ...xorVectors],
  ]),
]

/** The register counts as much as the same bits in the first bytes. */
const registerIntoData = (): number[] => [
  ...[...get(at), ...get(at), ...load(0), ...get(crc), op.xor, op.store, 2, 0],
  ...[...constant(0), ...set(crc)],
]

const moveOn = (): number[] => [
  ...repeat(hasLessThan(16 + longestDistance), [
    ...[...get(at), ...withMoved(), ...storeVector(movedBehind), ...advance(16)],
  ]),
  ...[...get(at), ...set(movedUntil)],
  // Nothing moves on from the rest, whatever earlier data have left there.
  ...repeat(isAtEnd, [...get(at), ...zeroVector, ...storeVector(movedBehind), ...advance(16)]),
  ...[...get(movedUntil), ...set(at)],
  ...repeat(isAtEnd, [...get(at), ...withMoved(), ...storeVector(0), ...advance(16)]),
  ...[...get(movedUntil), ...set(at)],
]

const code = (): number[] => [
  ...registerIntoData(),
  ...moveOn(),
  ...repeat(hasLessThan(sliceBytes), [...slice(), ...advance(sliceBytes)]),
  ...repeat(isAtEnd, [...oneByte(), ...advance(1)]),
  ...get(crc),
  op.end,
]

const section = (id: number, content: readonly number[]): number[] => [
  id,
  ...leb(content.length),
  ...content,
]
const named = (name: string, kind: number): number[] => [
  name.length,
  ...Buffer.from(name),
  ...[kind, 0],
]

const assemble = (): Uint8Array => {
  const body = [1, words.length + 1, i32, ...code()]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 3, i32, i32, i32, 1, i32]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, pages]),
    ...section(7, [2, ...named('crc', 0), ...named('memory', 2)]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ])
}

interface Exports {
  crc(from: number, to: number, register: number): number
  memory: { readonly buffer: ArrayBuffer }
}

/** What Node.js has and the libraries of the compiler, without a browser's, do not tell. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object) => { readonly exports: Exports }
}

type Crc = (bytes: Uint8Array, start: number, end: number, seed: number) => number

/**
 * `tables`: entry 256 * k + b is the CRC of byte b followed by k zero bytes, for k below 16. `ofLittle` does what is not worth
 * the call. Throws where there is no WebAssembly with vectors.
 */
export const createWasmCrc32c = (tables: Int32Array, ofLittle: Crc): Crc => {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assemble()))
  const memory = new Uint8Array(exports.memory.buffer)
  new Int32Array(exports.memory.buffer).set(tables)
  return (bytes, start, end, seed) => {
    const sizeBytes = end - start
    if (sizeBytes < leastBytes) return ofLittle(bytes, start, end, seed)
    // Pieces of one size, so that none is small.
    const stepBytes = Math.ceil(sizeBytes / Math.ceil(sizeBytes / pieceBytes))
    let register = ~seed
    for (let from = start; from < end; from += stepBytes) {
      const to = Math.min(end, from + stepBytes)
      memory.set(bytes.subarray(from, to), dataAt)
      register = exports.crc(dataAt, dataAt + to - from, register)
    }
    return ~register >>> 0
  }
}
