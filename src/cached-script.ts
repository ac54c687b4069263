import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Script } from 'node:vm'

/**
 * Runs a file that the build has made of many modules, with what V8 made of it last time: to compile it takes longer than
 * what it does at first. The file is one function of `exports`, `require`, `__filename` and `importModule`,
 * which stands for `import()`: code from the cache has none.
 */

/**
 * The file ends with a mark of its content, and so begins what is kept of it: V8 itself compares no more than lengths.
 */
const markBytes = 32

export interface CachedScript {
  readonly exports: unknown
  /** Whether nothing had to be compiled that was compiled before. */
  readonly isFromCache: boolean
  /** Keeps what has been compiled by now for the next time; does nothing where that cannot be written. */
  readonly keep: () => void
}

/** V8 takes only what the same version has made, with the same flags. */
const cacheFileOf = (file: string, use: string): string =>
  `${file}${use}.${process.version}-${process.arch}.cache`

const readCache = (file: string, mark: string): Buffer | undefined => {
  try {
    const bytes = readFileSync(file)
    return bytes.toString('latin1', 0, markBytes) === mark ? bytes.subarray(markBytes) : undefined
  } catch {
    return undefined
  }
}

const importModule = (name: string): Promise<unknown> => import(name)

const write = (file: string, bytes: Buffer): void => {
  const fresh = `${file}.${process.pid}`
  try {
    writeFileSync(fresh, bytes)
    renameSync(fresh, file)
  } catch {
    // A folder of the system's: the next start takes as long as this one.
    rmSync(fresh, { force: true })
  }
}

/**
 * `use` names what the file is run for where that makes a difference to what of it is compiled. Throws when there is no such
 * file, and what the file throws.
 */
export const runCachedScript = (file: string, use = ''): CachedScript => {
  const source = readFileSync(file, 'utf8')
  const mark = source.slice(-markBytes)
  const cacheFile = cacheFileOf(file, use === '' ? '' : `.${use}`)
  const cachedData = readCache(cacheFile, mark)
  const script = new Script(source, {
    filename: file,
    ...(cachedData === undefined ? {} : { cachedData }),
  })
  const run: unknown = script.runInThisContext()
  const exports = {}
  if (typeof run !== 'function') throw new TypeError(`${file} is no function`)
  run(exports, createRequire(file), file, importModule)
  return {
    exports,
    isFromCache: cachedData !== undefined && script.cachedDataRejected === false,
    keep: () => {
      write(cacheFile, Buffer.concat([Buffer.from(mark, 'latin1'), script.createCachedData()]))
    },
  }
}
