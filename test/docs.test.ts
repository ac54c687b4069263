import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { serveApis } from '../src/broker/apis.ts'
import { defects } from '../src/broker/defects/index.ts'
import { kafkaParts } from '../src/broker/parts.ts'
import { type Setting, settingsTable } from '../src/broker/settings.ts'
import { abCommand } from '../src/cli/ab.ts'
import { brokerCommand } from '../src/cli/broker.ts'
import { calibrateCommand } from '../src/cli/calibrate.ts'
import { cleanCommand } from '../src/cli/clean.ts'
import { compareCommand } from '../src/cli/compare.ts'
import { historyCommand } from '../src/cli/history.ts'
import { realIo } from '../src/cli/io.ts'
import { recordCommand } from '../src/cli/record.ts'
import { reportCommand } from '../src/cli/report.ts'
import { addRunFlags } from '../src/cli/run-flags.ts'
import { scenarioCommand } from '../src/cli/scenario.ts'
import { checks } from '../src/scenario/check-names.ts'
import { loadScenario, scenarioNames } from '../src/scenario/load.ts'
import { fieldRows } from '../src/scenario/reference.ts'

/**
 * The documents say what the program has: its flags, its APIs, its settings, its files. `npm run docs` writes the tables
 * of docs/BROKER.md and docs/DEFECTS.md anew.
 */

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8')

const documents = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  ...readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.split(path.sep).join('/')}`),
]

const commands = {
  run: addRunFlags(new Command('run')),
  broker: brokerCommand(),
  report: reportCommand(realIo()),
  calibrate: calibrateCommand(realIo(), () => {}),
  clean: cleanCommand(realIo()),
  record: recordCommand(realIo()),
  compare: compareCommand(realIo(), () => {}),
  ab: abCommand(realIo(), () => {}),
  history: historyCommand(realIo()),
  scenario: scenarioCommand(realIo(), () => {}),
}
const flagsOf = (command: Command): string[] =>
  [command, ...command.commands]
    .flatMap(({ options }) => options.flatMap(({ long, short }) => [long, short]))
    .filter((flag) => flag != null)
const known = new Set([
  ...Object.values(commands).flatMap(flagsOf),
  ...['--help', '-h', '--version', '-V'],
])

/** `--flag`, not the dashes of `npm start -- …` or of a table. */
const longFlagsIn = (text: string): string[] =>
  [...text.matchAll(/(?<![\w-])--[a-z][a-z0-9-]*/g)].map(([flag]) => flag)

/** As links name them. */
const headingsOf = (file: string): string[] =>
  [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  )

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`

const apiTable = (): string => {
  const served = [...serveApis(kafkaParts.messages, kafkaParts.handlers).values()]
  const rows = served
    .map(({ api }) => api)
    .toSorted((a, b) => a.key - b.key)
    .map(({ key, name, advertisedMinVersion, minVersion, maxVersion, flexibleFrom }) => {
      const note = minVersion > advertisedMinVersion ? ` (served from ${minVersion})` : ''
      const versions =
        advertisedMinVersion === maxVersion
          ? `${maxVersion}`
          : `${advertisedMinVersion}–${maxVersion}`
      return row([key, name, versions + note, flexibleFrom ?? '–'])
    })
  return [
    row(['key', 'API', 'versions', 'flexible from']),
    row(['--:', '---', '---', '---']),
    ...rows,
  ].join('\n')
}

const settingTable = (): string => {
  const rows = Object.entries<Setting>(settingsTable).map(([name, setting]) => {
    const allowed =
      setting.type !== 'integer'
        ? (setting.type === 'choice' ? setting.choices : [true, false]).join(', ')
        : setting.max === Number.MAX_SAFE_INTEGER
          ? `${setting.min} and above`
          : setting.min === setting.max
            ? `${setting.min}`
            : `${setting.min} to ${setting.max}`
    return row([`\`${name}\``, String(setting.default), allowed])
  })
  return [row(['setting', 'default', 'allowed']), row(['---', '--:', '---']), ...rows].join('\n')
}

const defectTable = (): string =>
  [
    row(['defect', 'the broker …', 'seen, or known from']),
    row(['---', '---', '---']),
    ...defects.map(({ name, summary, source }) => row([`\`${name}\``, summary, source])),
  ].join('\n')

const fieldTable = (): string =>
  [
    row(['field', 'allowed', 'default', 'what it is']),
    row(['---', '---', '---', '---']),
    ...fieldRows().map(({ field, allowed, usual, description }) =>
      row([`\`${field}\``, allowed, usual, description]),
    ),
  ].join('\n')

const checkTable = (): string =>
  [
    row(['check', 'holds when']),
    row(['---', '---']),
    ...Object.entries(checks).map(([name, meaning]) => row([`\`${name}\``, meaning])),
  ].join('\n')

const scenarioTable = (): string =>
  [
    row(['scenario', 'what happens', 'proved by']),
    row(['---', '---', '---']),
    ...scenarioNames().map((name) => {
      const { title, long, defect } = loadScenario(name)
      const proof = defect === null ? '' : `\`${defect.name}\`: ${defect.check}`
      return row([`\`${name}\``, `${title}${long ? ' (long)' : ''}`, proof])
    }),
  ].join('\n')

const end = '<!-- end -->'

/** What stands between `<!-- NAME: made by npm run docs -->` and the next `<!-- end -->`; written anew when asked for. */
const madeBlock = (file: string, name: string, made: string): string => {
  const text = read(file)
  const begin = `<!-- ${name}: made by npm run docs -->\n`
  const from = text.indexOf(begin) + begin.length
  const to = text.indexOf(end, from)
  if (process.env['UPDATE_DOCS'] !== '1') return text.slice(from, to).trimEnd()
  writeFileSync(path.join(root, file), `${text.slice(0, from)}${made}\n${text.slice(to)}`)
  return made
}

describe('the documents', () => {
  it.each([
    ['apis', apiTable()],
    ['settings', settingTable()],
  ])('docs/BROKER.md has the %s of the broker', (name, made) => {
    expect(madeBlock('docs/BROKER.md', name, made)).toBe(made)
  })

  it('docs/DEFECTS.md has the defects', () => {
    const made = defectTable()
    expect(madeBlock('docs/DEFECTS.md', 'defects', made)).toBe(made)
  })

  it.each([
    ['scenarios', scenarioTable()],
    ['fields', fieldTable()],
    ['checks', checkTable()],
  ])('docs/SCENARIOS.md has the %s', (name, made) => {
    expect(madeBlock('docs/SCENARIOS.md', name, made)).toBe(made)
  })

  it.each(['README.md', 'docs/CLI.md', 'docs/BROKER.md', 'docs/CI.md'])(
    '%s names flags that exist',
    (file) => {
      const named = longFlagsIn(read(file))
      expect(named.length).toBeGreaterThan(2)
      expect(named.filter((flag) => !known.has(flag))).toEqual([])
    },
  )

  it.each(Object.entries(commands))('docs/CLI.md has every flag of bench %s', (name, command) => {
    const [, section = ''] = read('docs/CLI.md').split(`\n## bench ${name}`)
    const text = section.split('\n## ')[0] ?? ''
    const missing = flagsOf(command).filter((flag) => !new RegExp(`${flag}(?![\\w-])`).test(text))
    expect(missing).toEqual([])
  })

  it.each(documents)('%s links to files and headings that exist', (file) => {
    const links = [...read(file).matchAll(/\]\(([^)\s]+)\)|<img [^>]*src="([^"]+)"/g)]
    const targets = links.map(([, link, image]) => link ?? image ?? '')
    const broken = targets.filter((target) => {
      if (/^[a-z]+:/.test(target)) return false
      const [name = '', heading] = target.split('#')
      const linked = name === '' ? file : path.join(path.dirname(file), name)
      if (!existsSync(path.join(root, linked))) return true
      return heading !== undefined && !headingsOf(linked).includes(heading)
    })
    expect(broken).toEqual([])
  })

  it('docs/ARCHITECTURE.md names source files that exist', () => {
    const text = read('docs/ARCHITECTURE.md')
    const named = [...text.matchAll(/`((?:src|test|bin|scripts|benchmarks|docs)\/[\w./-]+)`/g)]
    expect(named.length).toBeGreaterThan(20)
    const missing = named.map(([, file = '']) => file)
    expect(missing.filter((file) => !existsSync(path.join(root, file)))).toEqual([])
  })
})
