/**
 * CRC-32C in WebAssembly, in slices of 16 bytes: half as fast again as the same in JavaScript, the copy into its memory
 * included. The module is assembled here, from what each instruction says in the WebAssembly core specification.
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
  const: 0x41,
  gtU: 0x4b,
  geU: 0x4f,
  add: 0x6a,
  and: 0x71,
  xor: 0x73,
  shl: 0x74,
  shrU: 0x76,
} as const
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

const sliceBytes = 16
const tableBytes = 1_024
const dataAt = 64 * 1024
/** What one call can take; longer data goes in pieces. */
const pieceBytes = 64 * 1024
const pages = 2

/** Locals: where to read, where to end, the register, and the four words of a slice. */
const at = 0
const until = 1
const crc = 2
const words = [3, 4, 5, 6] as const

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

const code = (): number[] => [
  ...repeat(
    [...get(at), ...constant(sliceBytes), op.add, ...get(until), op.gtU],
    [...slice(), ...advance(sliceBytes)],
  ),
  ...repeat([...get(at), ...get(until), op.geU], [...oneByte(), ...advance(1)]),
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
  const body = [1, words.length, i32, ...code()]
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

/** `tables`: entry 256 * k + b is the CRC of byte b followed by k zero bytes, for k below 16. */
export const createWasmCrc32c = (
  tables: Int32Array,
): ((bytes: Uint8Array, start: number, end: number, seed: number) => number) => {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assemble()))
  const memory = new Uint8Array(exports.memory.buffer)
  new Int32Array(exports.memory.buffer).set(tables)
  return (bytes, start, end, seed) => {
    let register = ~seed
    for (let from = start; from < end; from += pieceBytes) {
      const to = Math.min(end, from + pieceBytes)
      memory.set(bytes.subarray(from, to), dataAt)
      register = exports.crc(dataAt, dataAt + to - from, register)
    }
    return ~register >>> 0
  }
}
