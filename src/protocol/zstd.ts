/** Zstandard by WebAssembly, loaded when it is first needed: most runs never do. */
type Library = typeof import('@bokuweb/zstd-wasm')

const frameMagic = 0xfd2fb528
/** Bytes of the content size by its two bits; a frame of one segment always has at least one. */
const contentSizeBytes = [0, 2, 4, 8]
const dictionaryIdBytes = [0, 1, 2, 4]
const firstGuess = 8
const level = 3

let library: Library | null = null
let ready: Promise<void> | null = null

const load = async (): Promise<void> => {
  const loaded = await import('@bokuweb/zstd-wasm')
  await loaded.init()
  library = loaded
}

const loadedLibrary = (): Library => {
  if (library === null) throw new Error('readyZstd() has not resolved yet')
  return library
}

/** Loads the WebAssembly once; must have resolved before the other functions are called. */
export const readyZstd = (): Promise<void> => {
  ready ??= load()
  return ready
}

export const compressZstd = (data: Buffer): Buffer => view(loadedLibrary().compress(data, level))

const view = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The content size that the first frame states; null when it states none, as streaming encoders do. RFC 8878, 3.1.1.1. */
const statedSize = (data: Buffer): number | null => {
  if (data.length < 6 || data.readUInt32LE(0) !== frameMagic) {
    throw new RangeError('the zstd data are damaged')
  }
  const descriptor = data[4]!
  const isSingleSegment = (descriptor & 0x20) !== 0
  const sizeCode = descriptor >>> 6
  const bytes = sizeCode === 0 && isSingleSegment ? 1 : contentSizeBytes[sizeCode]!
  const at = 5 + (isSingleSegment ? 0 : 1) + dictionaryIdBytes[descriptor & 3]!
  if (bytes > data.length - at) throw new RangeError('the zstd data are damaged')
  if (bytes === 0) return null
  if (bytes === 8) return Number(data.readBigUInt64LE(at))
  return data.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0)
}

/** Throws a RangeError when `data` is no zstd or becomes more than `maxBytes`. */
export const decompressZstd = (data: Buffer, maxBytes: number): Buffer => {
  const size = statedSize(data)
  const tooLarge = (): RangeError => new RangeError(`the data become more than ${maxBytes} bytes`)
  if (size !== null) {
    if (size > maxBytes) throw tooLarge()
    return tryDecompress(data, size) ?? fail()
  }
  // The library needs to know how much will come: guess, and guess higher.
  let guess = Math.min(maxBytes, Math.max(65_536, data.length * firstGuess))
  for (;;) {
    const content = tryDecompress(data, guess)
    if (content) return content
    if (guess === maxBytes) throw tooLarge()
    guess = Math.min(maxBytes, guess * 4)
  }
}

const fail = (): never => {
  throw new RangeError('the zstd data are damaged')
}

/** null when it cannot be decompressed into `sizeBytes`. */
const tryDecompress = (data: Buffer, sizeBytes: number): Buffer | null => {
  try {
    return view(loadedLibrary().decompress(data, { defaultHeapSize: sizeBytes }))
  } catch {
    return null
  }
}
