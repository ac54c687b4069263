import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCachedScript } from './cached-script.ts'

let folder = ''
let file = ''

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'bench-script-'))
  file = path.join(folder, 'script.cjs')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Of the same length for every one-digit `value`. */
const build = (value: number): void =>
  writeFileSync(
    file,
    `(function (exports, require, __filename, importModule) {
exports.value = () => ${value}
exports.load = () => importModule('node:path')
exports.name = require('node:path').basename(__filename)
})
//${String(value).repeat(32)}`,
  )

const valueOf = (exports: unknown): unknown => (exports as { value: () => number }).value()

test('runs with what a script of modules needs', () => {
  build(1)
  const { exports, isFromCache } = runCachedScript(file)
  expect(exports).toMatchObject({ name: 'script.cjs' })
  expect(valueOf(exports)).toBe(1)
  expect(isFromCache).toBe(false)
})

test('takes what was kept, until the script is built anew', () => {
  build(1)
  const first = runCachedScript(file)
  valueOf(first.exports)
  first.keep()
  expect(runCachedScript(file).isFromCache).toBe(true)
  expect(valueOf(runCachedScript(file).exports)).toBe(1)

  build(2)
  const rebuilt = runCachedScript(file)
  expect(rebuilt.isFromCache).toBe(false)
  expect(valueOf(rebuilt.exports)).toBe(2)
  rebuilt.keep()
  expect(runCachedScript(file).isFromCache).toBe(true)
})

test('loads modules late, also from the cache', async () => {
  const moduleOf = (exports: unknown): unknown => (exports as { load: () => unknown }).load()
  build(3)
  const first = runCachedScript(file)
  expect(await moduleOf(first.exports)).toHaveProperty('basename')
  first.keep()
  const second = runCachedScript(file)
  expect(second.isFromCache).toBe(true)
  expect(await moduleOf(second.exports)).toHaveProperty('basename')
})

test('what is damaged, or cannot be kept, costs time only', () => {
  build(1)
  runCachedScript(file).keep()
  const [cache = ''] = readdirSync(folder).filter((name) => name.endsWith('.cache'))
  // One that this process has never run, so that nothing but the file can be taken.
  build(4)
  writeFileSync(path.join(folder, cache), `${'4'.repeat(32)}no code`)
  const script = runCachedScript(file)
  expect(script.isFromCache).toBe(false)
  expect(valueOf(script.exports)).toBe(4)
  rmSync(folder, { recursive: true })
  expect(() => script.keep()).not.toThrow()
})
