import { gunzipSync, gzipSync } from 'node:zlib'
import { compressLz4, decompressLz4 } from './lz4.ts'
import { compressSnappy, decompressSnappy } from './snappy.ts'
import { compressZstd, decompressZstd, readyZstd } from './zstd.ts'

/** The compression codecs of record batches. */

/** As in the attributes of a record batch: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
export type Codec = 0 | 1 | 2 | 3 | 4

/** Loads what a codec needs. Must have resolved once before `compress` or `decompress` of that codec is called. */
export const readyCompression = (codec: Codec): Promise<void> =>
  codec === 4 ? readyZstd() : Promise.resolve()

interface Library {
  compress(data: Buffer): Buffer
  decompress(data: Buffer, maxBytes: number): Buffer
}

const libraries: Record<Codec, Library> = {
  0: { compress: (data) => data, decompress: (data) => data },
  1: {
    compress: (data) => gzipSync(data),
    decompress: (data, maxBytes) => gunzipSync(data, { maxOutputLength: maxBytes }),
  },
  2: { compress: compressSnappy, decompress: decompressSnappy },
  3: { compress: compressLz4, decompress: decompressLz4 },
  4: { compress: compressZstd, decompress: decompressZstd },
}

/** Snappy in xerial's frames and lz4 as a frame, as Java clients write them. */
export const compress = (codec: Codec, data: Buffer): Buffer => libraries[codec].compress(data)

/** Throws an Error when `data` is not of that codec or becomes more than `maxBytes`. */
export const decompress = (codec: Codec, data: Buffer, maxBytes: number): Buffer =>
  libraries[codec].decompress(data, maxBytes)
