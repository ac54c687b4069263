/** A native CRC-32C, when the user has installed one: some three times as fast as WebAssembly for whole batches. */
import { createRequire } from 'node:module'
import { takeNativeCrc32c } from '../../protocol/crc32c.ts'
import { findPackage } from '../optional-package.ts'

const name = '@node-rs/crc32'

interface Library {
  readonly crc32c: (bytes: Uint8Array, seed: number) => number
}

/** False when there is none, or none that works here: nothing is lost but time. */
export const takeInstalledCrc32c = (): boolean => {
  try {
    const { file } = findPackage({ client: 'wire', name, install: `npm install ${name}` })
    const { crc32c } = createRequire(import.meta.url)(file) as Library
    return takeNativeCrc32c(crc32c)
  } catch {
    return false
  }
}
