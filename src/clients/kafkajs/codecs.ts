/** Gives kafkajs, which brings only gzip, the other compression codecs. */
import kafkajs from 'kafkajs'
import { type Codec, compress, decompress, readyCompression } from '../../protocol/compression.ts'
import type { Compression } from '../driver.ts'

// Node finds only some of kafkajs' exports by name.
const { CompressionCodecs, CompressionTypes } = kafkajs

/** What the records of one fetched batch may become. */
const decompressedLimitBytes = 256 * 2 ** 20

export const compressionTypes = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
} as const satisfies Record<Compression, number>

/** Registers the codecs for the whole process; each is loaded when the first batch needs it. */
export const registerCodecs = (): void => {
  const { Snappy, LZ4, ZSTD } = CompressionTypes
  for (const type of [Snappy, LZ4, ZSTD] as const) {
    const codec: Codec = type
    CompressionCodecs[type] = () => ({
      compress: async (records: { buffer: Buffer }) => {
        await readyCompression(codec)
        return compress(codec, records.buffer)
      },
      decompress: async (bytes: Buffer) => {
        await readyCompression(codec)
        return decompress(codec, bytes, decompressedLimitBytes)
      },
    })
  }
}
