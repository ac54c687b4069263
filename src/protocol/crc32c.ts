/** CRC-32C (Castagnoli, RFC 3720 appendix B.4), by the fastest means at hand for each size. */
import { createWasmCrc32c } from './crc32c-wasm.ts'

/** The unsigned CRC-32C of `bytes[start, end)` after what has the CRC `seed`. */
export type Crc32c = (bytes: Uint8Array, start: number, end: number, seed: number) => number

/** Below, a call into WebAssembly or a native module, and the copy or view it takes, cost more than they save. */
const largeFromBytes = 512

const polynomial = 0x82f63b78

// tables[256 * k + b] is the CRC of byte b followed by k zero bytes.
const tables = new Int32Array(256 * 16)
for (let b = 0; b < 256; b++) {
  let crc = b
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
  tables[b] = crc
}
for (let i = 256; i < tables.length; i++) {
  const previous = tables[i - 256] as number
  tables[i] = (previous >>> 8) ^ (tables[previous & 0xff] as number)
}

/**
 * The unsigned CRC-32C of `bytes[start, end)`. `seed` is the CRC of what came before, so that
 * `crc32c(b, 0, b.length, crc32c(a))` is the CRC of a and b together.
 */
export const crc32c = (bytes: Uint8Array, start = 0, end = bytes.length, seed = 0): number =>
  end - start < largeFromBytes
    ? crc32cInScript(bytes, start, end, seed)
    : crc32cOfLarge(bytes, start, end, seed)

export const crc32cInScript: Crc32c = (bytes, start, end, seed) => {
  const t = tables
  let crc = ~seed
  let i = start
  for (const last = end - 16; i <= last; i += 16) {
    crc =
      t[3840 + ((crc ^ bytes[i]!) & 0xff)]! ^
      t[3584 + (((crc >>> 8) ^ bytes[i + 1]!) & 0xff)]! ^
      t[3328 + (((crc >>> 16) ^ bytes[i + 2]!) & 0xff)]! ^
      t[3072 + ((crc >>> 24) ^ bytes[i + 3]!)]! ^
      t[2816 + bytes[i + 4]!]! ^
      t[2560 + bytes[i + 5]!]! ^
      t[2304 + bytes[i + 6]!]! ^
      t[2048 + bytes[i + 7]!]! ^
      t[1792 + bytes[i + 8]!]! ^
      t[1536 + bytes[i + 9]!]! ^
      t[1280 + bytes[i + 10]!]! ^
      t[1024 + bytes[i + 11]!]! ^
      t[768 + bytes[i + 12]!]! ^
      t[512 + bytes[i + 13]!]! ^
      t[256 + bytes[i + 14]!]! ^
      t[bytes[i + 15]!]!
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ t[(crc ^ bytes[i]!) & 0xff]!
  return ~crc >>> 0
}

/** Assembled anew by each call; null when this Node.js has no WebAssembly with vectors. */
export const crc32cInWasm = (): Crc32c | null => {
  try {
    return createWasmCrc32c(tables, crc32cInScript)
  } catch {
    return null
  }
}

/** What large data go through. */
export type Crc32cMeans = 'a native module' | 'WebAssembly' | 'JavaScript'

let large: { readonly means: Crc32cMeans; readonly crc32c: Crc32c } | null = null
let offered: (() => void) | null = null

/** `take` is called when large data come first, to call `takeNativeCrc32c` if there is one. */
export const offerNativeCrc32c = (take: () => void): void => {
  offered = take
}

const makeLarge = (): NonNullable<typeof large> => {
  const inWasm = crc32cInWasm()
  return inWasm === null
    ? { means: 'JavaScript', crc32c: crc32cInScript }
    : { means: 'WebAssembly', crc32c: inWasm }
}

const meansForLarge = (): NonNullable<typeof large> => {
  if (large === null) offered?.()
  large ??= makeLarge()
  return large
}

/** Loads and compiles what large data need, which is else done when they come first, and tells what that is. */
export const readyCrc32c = (): Crc32cMeans => meansForLarge().means

const crc32cOfLarge: Crc32c = (bytes, start, end, seed) =>
  meansForLarge().crc32c(bytes, start, end, seed)

/**
 * Takes a native implementation for large data from now on. It gives the CRC of `bytes` after what has the CRC `seed`.
 * One that gives a wrong answer to the known vector is not taken: false.
 */
export const takeNativeCrc32c = (native: (bytes: Uint8Array, seed: number) => number): boolean => {
  const vector = Buffer.from('123456789')
  const first = native(vector.subarray(0, 5), 0)
  if (native(vector.subarray(5), first) >>> 0 !== 0xe3069283) return false
  const inNative: Crc32c = (bytes, start, end, seed) =>
    native(bytes.subarray(start, end), seed) >>> 0
  large = { means: 'a native module', crc32c: inNative }
  return true
}
