/** The compression codecs of record batches, by libraries. */

/** As in the attributes of a record batch: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
export type Codec = 0 | 1 | 2 | 3 | 4

/** Loads what a codec needs. Must have resolved once before `compress` or `decompress` of that codec is called. */
export const readyCompression = (_codec: Codec): Promise<void> =>
  Promise.reject(new Error('not yet'))

/** Snappy in xerial frames, lz4 as a frame, as Java clients write them. */
export const compress = (_codec: Codec, _data: Buffer): Buffer => {
  throw new Error('not yet')
}

/** Throws an Error when `data` is not of that codec or becomes more than `maxBytes`. */
export const decompress = (_codec: Codec, _data: Buffer, _maxBytes: number): Buffer => {
  throw new Error('not yet')
}
