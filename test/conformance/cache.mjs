// Where the conformance run keeps what it installs: CONFORMANCE_CACHE, else .cache/conformance of the checkout. Each thing
// has a folder of its own, named after what it is made of, so that another version never finds the files of this one.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const inCheckout = fileURLToPath(new URL('../../.cache/conformance', import.meta.url))
export const cacheFolder = path.resolve(process.env.CONFORMANCE_CACHE || inCheckout)

const giveUpMs = 1_800_000
const platform = [process.platform, process.arch, process.versions.modules]

const isAlive = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

const ownerOf = (lock) => {
  try {
    return Number(readFileSync(lock, 'utf8'))
  } catch {
    return null
  }
}

/** The lock is a file with the process id of who has it; waits while that process lives. */
const take = async (lock) => {
  for (const startMs = performance.now(); ; await sleep(200)) {
    try {
      return writeFileSync(lock, String(process.pid), { flag: 'wx' })
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const owner = ownerOf(lock)
    if (owner !== null && !isAlive(owner)) rmSync(lock, { force: true })
    if (performance.now() - startMs > giveUpMs) throw new Error(`${lock} is held by ${owner}`)
  }
}

/** Runs `run` while no other process that asks for the same lock does. */
export const alone = async (name, run) => {
  mkdirSync(cacheFolder, { recursive: true })
  const lock = path.join(cacheFolder, `${name}.lock`)
  await take(lock)
  try {
    return await run()
  } finally {
    rmSync(lock, { force: true })
  }
}

const underWay = new Map()

/**
 * The folder `name` made of `key`; `install(folder)` fills it when it is not there yet. One process installs, and others
 * that ask meanwhile wait for it; what was cut short is begun anew.
 */
export const installed = async (name, key, install) => {
  const made = [...platform, key].join('\n')
  const id = `${name}-${createHash('sha256').update(made).digest('hex').slice(0, 12)}`
  const folder = path.join(cacheFolder, id)
  const marker = path.join(folder, '.installed')
  const make = async () => {
    if (existsSync(marker)) return
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    await install(folder)
    writeFileSync(marker, made)
  }
  if (existsSync(marker)) return folder
  if (!underWay.has(id)) {
    const ended = alone(id, make).finally(() => underWay.delete(id))
    underWay.set(id, ended)
  }
  await underWay.get(id)
  return folder
}
