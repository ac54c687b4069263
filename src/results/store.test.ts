import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  consumeResult,
  metadataResult,
  produceResult,
  roundTripResult,
} from '../../test/support/sample-result.ts'
import { SurroundingsError, UsageError } from '../errors.ts'
import { loadResult, saveResult, serializeResult, writeAtomically } from './store.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-store-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const thrownBy = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

describe('saving', () => {
  it('makes the folder and a file name that is safe everywhere and sorts by time', () => {
    const dir = join(folder, 'a', 'results')
    const saved = saveResult(produceResult(), dir)
    expect(saved).toEqual({
      path: join(dir, '2026-11-21T10-00-00-000Z-produce-0123456789ab.json'),
      problem: null,
    })
    expect(readdirSync(dir)).toHaveLength(1)
  })

  it('lets no name lead out of the folder', () => {
    const saved = saveResult(produceResult({ runId: '../../x', startedAt: '/etc/y' }), folder)
    expect(saved.path).toBe(join(folder, '-etc-y-produce-------x.json'))
  })

  it.each([produceResult(), consumeResult(), roundTripResult(), metadataResult()])(
    'is undone by loading: $config.mode',
    (result) => {
      expect(loadResult(saveResult(result, folder).path)).toEqual(result)
    },
  )

  it.each(['under a file', 'on a file system that takes no files'])(
    'goes to the temp folder and says why when the folder lies %s',
    (place) => {
      const file = join(folder, 'file')
      writeFileSync(file, '')
      const dir = place === 'under a file' ? join(file, 'results') : '/dev/null/results'
      const result = produceResult({ runId: `f${process.pid}` })
      const saved = saveResult(result, dir)
      try {
        expect(saved.path.startsWith(tmpdir())).toBe(true)
        expect(saved.problem).toMatch(/results.*cannot be written \(ENOTDIR: not a directory\)/)
        expect(loadResult(saved.path)).toEqual(result)
      } finally {
        rmSync(saved.path)
      }
    },
  )
})

describe('writing', () => {
  it('replaces a file whole, keeps its mode and leaves nothing else behind', () => {
    const path = join(folder, 'out.json')
    writeFileSync(path, 'a much longer old content')
    chmodSync(path, 0o600)
    const before = statSync(path).ino
    writeAtomically(path, 'new')
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(path).ino).not.toBe(before)
    expect(readdirSync(folder)).toEqual(['out.json'])
  })

  it('follows a link and keeps it', () => {
    writeFileSync(join(folder, 'real'), 'old')
    symlinkSync('real', join(folder, 'link'))
    writeAtomically(join(folder, 'link'), 'new')
    expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true)
    expect(readFileSync(join(folder, 'real'), 'utf8')).toBe('new')
  })

  it('writes to a device and does not replace it', () => {
    writeAtomically('/dev/null', 'text')
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true)
  })

  it('takes a name as long as the file system does', () => {
    const path = join(folder, 'n'.repeat(255))
    writeAtomically(path, 'text')
    expect(readFileSync(path, 'utf8')).toBe('text')
  })

  it.runIf(process.platform === 'linux')('fails at once where no folder can be made', () => {
    expect(() => writeAtomically('/proc/bench/result.json', 'x')).toThrow(SurroundingsError)
  })

  it('leaves the old content and no draft when the write fails', () => {
    const path = join(folder, 'out')
    writeFileSync(path, 'old')
    expect(() => writeAtomically(path, 7 as never)).toThrow(SurroundingsError)
    expect(readdirSync(folder)).toEqual(['out'])
    expect(readFileSync(path, 'utf8')).toBe('old')
  })

  it('names a folder that stands in the way and leaves it be', () => {
    const path = join(folder, 'out')
    mkdirSync(join(path, 'occupied'), { recursive: true })
    const error = thrownBy(() => writeAtomically(path, 'text'))
    expect(error).toBeInstanceOf(SurroundingsError)
    expect(String(error)).toContain(`'${path}' cannot be written (EISDIR`)
    expect(readdirSync(folder)).toEqual(['out'])
    expect(existsSync(join(path, 'occupied'))).toBe(true)
  })
})

/** What is thrown for a file with this content. */
const load = (content: string): unknown => {
  const path = join(folder, 'result.json')
  writeFileSync(path, content)
  return thrownBy(() => loadResult(path))
}

describe('loading', () => {
  it('names a file that is not there', () => {
    const error = thrownBy(() => loadResult(join(folder, 'nosuchfile.json')))
    expect(error).toBeInstanceOf(UsageError)
    expect(String(error)).toMatch(/nosuchfile\.json' does not exist/)
  })

  it.each([
    ['', 'is a folder'],
    ['file/below', 'cannot be read \\(ENOTDIR: not a directory\\)'],
    ['../../../../../../../../dev/zero', 'is not a file'],
  ])('refuses %j', (path, problem) => {
    writeFileSync(join(folder, 'file'), '')
    expect(String(thrownBy(() => loadResult(join(folder, path))))).toMatch(new RegExp(problem))
  })

  it.each([
    ['', 'is not JSON (it is empty)'],
    ['   \n', 'is not JSON (it is empty)'],
    ['{"a":', 'is not JSON'],
    ['mode,rate\nproduce,1\n', 'is not JSON'],
    ['null', 'has no schemaVersion'],
    ['[]', 'has no schemaVersion'],
    ['"text"', 'has no schemaVersion'],
    ['{}', 'has no schemaVersion'],
    ['{"schemaVersion":"1"}', 'has no schemaVersion'],
    ['{"schemaVersion":2}', 'has schemaVersion 2, made by a newer bench; this one reads up to 1'],
    ['{"schemaVersion":0}', 'schemaVersion: 1 is needed'],
    ['{"schemaVersion":1}', 'runId: a text is needed'],
  ])('refuses the content %j', (content, problem) => {
    const error = load(content)
    expect(error).toBeInstanceOf(UsageError)
    expect(String(error)).toContain(join(folder, 'result.json'))
    expect(String(error)).toContain(problem)
    expect(String(error)).not.toContain('\n')
  })

  const whole = serializeResult(
    consumeResult({
      latencyUs: roundTripResult().latencyUs,
      warnings: [{ code: 'c', text: 't', advice: 'a' }],
    }),
  )
  type Json = Record<string, unknown>

  /** Every field at any depth, once; lists by their first element. `option` values are free. */
  const paths = (value: unknown, path: string[] = []): string[][] => {
    if (typeof value !== 'object' || value === null) return [path]
    const names = Array.isArray(value) ? ['0'] : Object.keys(value)
    const below = names.flatMap((name) => paths((value as Json)[name], [...path, name]))
    return path.length === 0 ? below : [path, ...below]
  }
  const free = new Set(['acks', 'rateRecordsPerSec', 'consumerGroup', 'validate'])
  const fields = paths(JSON.parse(whole)).filter((path) => !free.has(path.at(-1) ?? ''))

  const spoil = (path: readonly string[], change: (holder: Json, name: string) => void): string => {
    const content = JSON.parse(whole) as Json
    let holder = content
    for (const name of path.slice(0, -1)) holder = holder[name] as Json
    change(holder, path.at(-1) ?? '')
    return JSON.stringify(content)
  }

  it.each(fields)('names field %s %s %s %s when it has the wrong type', (...path) => {
    const field = path.filter(Boolean)
    const message = String(
      load(
        spoil(field, (holder, name) => {
          holder[name] = typeof holder[name] === 'boolean' ? 7 : true
        }),
      ),
    )
    const shown = field.join('.').replace(/\.0(?=\.|$)/g, '[0]')
    expect(message).toContain(
      field[0] === 'schemaVersion' ? 'has no schemaVersion' : `: ${shown}: `,
    )
  })

  it.each(fields.filter((path) => !path.includes('0') && path.join('.') !== 'target.dataDir'))(
    'names field %s %s %s %s when it is missing',
    (...path) => {
      const field = path.filter(Boolean)
      const message = String(load(spoil(field, (holder, name) => delete holder[name])))
      expect(message).toContain(
        field[0] === 'schemaVersion' ? 'has no schemaVersion' : `: ${field.join('.')}: `,
      )
    },
  )

  it('lets fields be that it does not know', () => {
    const path = join(folder, 'result.json')
    writeFileSync(path, JSON.stringify({ ...(JSON.parse(whole) as Json), later: { a: 1 } }))
    expect(loadResult(path)).toMatchObject({ later: { a: 1 } })
  })
})
