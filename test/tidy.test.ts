import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

/** The rules of the house that no linter knows: who may import whom, where each package lives, words that are banned. */

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

const filesOf = (folder: string): string[] =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.posix.join(folder, name.split(path.sep).join('/')))

const sources = filesOf('src').filter((file) => !file.endsWith('.test.ts'))

const importsOf = (file: string): string[] => {
  const text = readFileSync(path.join(root, file), 'utf8')
  const statements = /^(?:import|export)\b[^'"`;]*?from '([^']+)'|\bimport\('([^']+)'\)/gm
  return [...text.matchAll(statements)].map((match) => match[1] ?? match[2] ?? '')
}

const sharedByAll = ['src/clock.ts', 'src/duration.ts', 'src/errors.ts', 'src/folder.ts']

/** Folder -> path prefixes of src that it may import besides itself and what all share. The first match rules. */
const mayImport: readonly (readonly [string, readonly string[]])[] = [
  ['src/protocol/', []],
  ['src/results/', []],
  ['src/broker/', ['src/protocol/']],
  ['src/clients/wire/', ['src/protocol/', 'src/clients/']],
  // kafkajs brings gzip only; why its other codecs may be the broker's: docs/adr/0002.
  ['src/clients/kafkajs/', ['src/clients/', 'src/protocol/compression.ts']],
  ['src/clients/platformatic/', ['src/clients/']],
  ['src/clients/librdkafka/', ['src/clients/']],
  ['src/clients/', []],
  ['src/bench/', ['src/clients/driver.ts', 'src/results/']],
  ['src/recorder/', ['src/protocol/']],
  ['src/omb/', []],
  ['src/compare/', ['src/results/']],
  ['src/report/', ['src/results/', 'src/compare/']],
  [
    'src/scenario/member',
    [
      ...['src/scenario/', 'src/clients/', 'src/bench/', 'src/protocol/', 'src/results/'],
      'src/cached-script.ts',
    ],
  ],
  [
    'src/scenario/',
    [
      ...['src/bench/', 'src/clients/', 'src/results/', 'src/recorder/', 'src/protocol/'],
      ...['src/broker/broker.ts', 'src/broker/parts.ts', 'src/broker/settings.ts'],
      'src/broker/defects/index.ts',
    ],
  ],
  ['src/cli/', ['src/']],
  ['src/', []],
]

/** Third-party package -> the only places that import it. */
const homes: Readonly<Record<string, readonly string[]>> = {
  commander: ['src/cli/'],
  execa: ['src/broker/spawn.ts'],
  ora: ['src/report/live.ts'],
  'cli-table3': ['src/report/'],
  'hdr-histogram-js': ['src/results/histogram.ts'],
  kafkajs: ['src/clients/kafkajs/'],
  '@platformatic/kafka': ['src/clients/platformatic/'],
  'node-rdkafka': ['src/clients/librdkafka/'],
  zod: ['src/scenario/'],
  yaml: ['src/omb/fields.ts', 'src/scenario/load.ts'],
  '@bokuweb/zstd-wasm': ['src/protocol/zstd.ts'],
}

const violation = (file: string, imported: string): string | null => {
  if (imported.startsWith('node:')) return null
  if (!imported.startsWith('.')) {
    const name = imported
      .split('/')
      .slice(0, imported.startsWith('@') ? 2 : 1)
      .join('/')
    const home = homes[name]
    if (home === undefined) return `${file} imports ${name}, which has no home`
    return home.some((place) => file.startsWith(place)) ? null : `${file} imports ${name}`
  }
  const target = path.posix.join(path.posix.dirname(file), imported)
  if (sharedByAll.includes(target)) return null
  const [folder = '', allowed = []] = mayImport.find(([prefix]) => file.startsWith(prefix)) ?? []
  const isInside = folder !== 'src/' && target.startsWith(folder.replace(/[^/]*$/, ''))
  return isInside || allowed.some((prefix) => target.startsWith(prefix))
    ? null
    : `${file} imports ${target}`
}

describe('the house', () => {
  it('keeps the dependency direction', () => {
    const found = sources.flatMap((file) =>
      importsOf(file).map((imported) => violation(file, imported)),
    )
    expect(found.length).toBeGreaterThan(100)
    expect(found.filter((text) => text !== null)).toEqual([])
  })

  it('would see a forbidden import', () => {
    expect(violation('src/protocol/wire.ts', '../broker/log.ts')).toMatch('src/broker/log.ts')
    expect(violation('src/bench/run.ts', '../clients/kafkajs/driver.ts')).toMatch(
      'kafkajs/driver.ts',
    )
    expect(violation('src/report/text.ts', 'kafkajs')).toMatch('kafkajs')
    expect(violation('src/broker/log.ts', '../protocol/wire.ts')).toBeNull()
  })

  it('reads time in one place only', () => {
    const readers = sources.filter((file) => {
      const text = readFileSync(path.join(root, file), 'utf8')
      return /Date\.now\(|performance\.now\(|hrtime|setInterval\(|setTimeout\(/.test(text)
    })
    expect(readers).toEqual(['src/clock.ts'])
  })

  it('speaks of itself only and has no lint exceptions without a reason', () => {
    const texts = [...sources, ...filesOf('test'), ...filesOf('bin')].filter(
      (file) => file !== 'test/tidy.test.ts',
    )
    const bad = texts.filter((file) =>
      /TODO|FIXME|@ts-ignore|\b(?:it|test|describe)\.(?:skip|only)\b/.test(
        readFileSync(path.join(root, file), 'utf8'),
      ),
    )
    expect(bad).toEqual([])
  })
})
