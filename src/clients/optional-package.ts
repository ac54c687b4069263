/** Finds packages that bench does not install itself: beside the user's own first, then beside bench. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { messageOf, UsageError } from '../errors.ts'

export interface OptionalPackage {
  /** The name given with `--client`. */
  client: string
  name: string
  /** What the user has to do, from `npm install` on. */
  install: string
}

export interface FoundPackage {
  /** Its entry point. */
  file: string
  version: string
}

const manifestOf = (file: string, name: string): { version: string } => {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    try {
      const manifest: unknown = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
      const isIt = typeof manifest === 'object' && manifest !== null && 'name' in manifest
      if (isIt && manifest.name === name) return manifest as unknown as { version: string }
    } catch {
      // Not the folder of a package.
    }
    if (folder === path.dirname(folder)) throw new Error(`${file} is in no package ${name}`)
  }
}

const resolveFrom = (base: string, name: string): string | null => {
  try {
    return createRequire(base).resolve(name)
  } catch {
    return null
  }
}

/** Throws a `UsageError` that says how to install the package when it is in none of the folders. */
export const findPackage = (
  { client, name, install }: OptionalPackage,
  bases: readonly string[] = [path.join(process.cwd(), 'bench'), import.meta.url],
): FoundPackage => {
  for (const base of bases) {
    const file = resolveFrom(base, name)
    if (file !== null) return { file, version: manifestOf(file, name).version.replace(/^v/, '') }
  }
  throw new UsageError(`client ${client}: the package ${name} is not installed; ${install}`)
}

/** Throws a `UsageError` when the package is there and cannot be loaded: another Node.js, a failed build. */
export const loadWith = async <Library>(
  { client, name, install }: OptionalPackage,
  load: () => Promise<Library> | Library,
): Promise<Library> => {
  try {
    return await load()
  } catch (error) {
    throw new UsageError(
      `client ${client}: the package ${name} cannot be loaded: ${messageOf(error)}; ${install}`,
      { cause: error },
    )
  }
}
