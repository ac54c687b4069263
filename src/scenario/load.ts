/** Scenario files to scenarios. What is wrong in a file is told with its line and column, all of it at once. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Document, isPair, LineCounter, type Node, parseDocument } from 'yaml'
import type { z } from 'zod'
import { defectNames } from '../broker/defects/index.ts'
import { parseSettings } from '../broker/settings.ts'
import { messageOf, UsageError } from '../errors.ts'
import {
  type MemberAction,
  type ScenarioMember,
  type ScenarioStep,
  scenarioSchema,
} from './schema.ts'

export interface Scenario extends Omit<z.output<typeof scenarioSchema>, 'members'> {
  /** Of the file, without its ending. */
  readonly name: string
  readonly file: string
  /** The file as it stands. */
  readonly text: string
  readonly members: Readonly<Record<string, ScenarioMember>>
}

type Path = readonly (string | number)[]
interface Problem {
  readonly path: Path
  readonly text: string
}

/** Where a field stands; of a field that is not there, where its parent does. */
const nodeAt = (document: Document, path: Path): Node | null => {
  for (let length = path.length; length >= 0; length -= 1) {
    const part = path.slice(0, length)
    const parent = document.getIn(part.slice(0, -1), true) as { items?: unknown[] } | undefined
    const pair = parent?.items?.find((item) => isPair(item) && String(item.key) === part.at(-1))
    // The key says better than its value where a mapping begins.
    const node = isPair(pair) ? pair.key : document.getIn(part, true)
    if (node !== undefined && node !== null) return node as Node
  }
  return null
}

const problemsOfIssue = (issue: z.core.$ZodIssue): Problem[] => {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], text: `${key}: no such field` }))
  }
  const field = path.join('.')
  return [{ path, text: field === '' ? issue.message : `${field}: ${issue.message}` }]
}

type LifeState = 'down' | 'up' | 'paused'

/** What an action needs, and what it makes of a member. */
const moves: Readonly<Record<MemberAction, { from: readonly LifeState[]; to: LifeState }>> = {
  start: { from: ['down'], to: 'up' },
  stop: { from: ['up', 'paused'], to: 'down' },
  crash: { from: ['up', 'paused'], to: 'down' },
  restart: { from: ['up'], to: 'up' },
  pause: { from: ['up'], to: 'paused' },
  resume: { from: ['paused'], to: 'up' },
  commit: { from: ['up'], to: 'up' },
}

/** Steps that name members that are not there, or ask of them what they cannot do by then. */
const timelineProblems = (
  timeline: readonly ScenarioStep[],
  members: readonly string[],
): Problem[] => {
  const states = new Map<string, LifeState>(members.map((name) => [name, 'down']))
  const problems: Problem[] = []
  for (const [index, { action, members: named }] of timeline.entries()) {
    if (action === null || action === 'produce') continue
    for (const name of named) {
      const path = ['timeline', index, action]
      const state = states.get(name)
      if (state === undefined) {
        problems.push({ path, text: `${name}: no such member; there are ${members.join(', ')}` })
        continue
      }
      const { from, to } = moves[action]
      if (!from.includes(state)) {
        problems.push({ path, text: `${action} ${name}: the member is ${state} by then` })
      }
      states.set(name, to)
    }
  }
  return problems
}

const semanticProblems = (parsed: z.output<typeof scenarioSchema>): Problem[] => {
  const members = Object.keys(parsed.members)
  const problems = timelineProblems(parsed.timeline, members)
  const unknown = (names: readonly string[], path: Path): void => {
    for (const name of names.filter((one) => !members.includes(one))) {
      problems.push({ path, text: `${name}: no such member; there are ${members.join(', ')}` })
    }
  }
  for (const [index, fault] of parsed.faults.entries()) {
    unknown(fault.members ?? [], ['faults', index, 'members'])
    if (fault.drop === (fault.delay !== null)) {
      problems.push({ path: ['faults', index], text: 'either drop: true or a delay is needed' })
    }
  }
  const isTold = parsed.timeline.some(({ action }) => action === 'produce')
  if (isTold !== (parsed.produce?.when === 'told')) {
    const text = 'a step with produce: true and produce.when: told belong together'
    problems.push({ path: ['produce'], text })
  }
  unknown(Object.keys(parsed.checks.perMember ?? {}), ['checks', 'perMember'])
  for (const [name, member] of Object.entries(parsed.members)) {
    if (member?.script && member.client !== 'scripted') {
      problems.push({ path: ['members', name, 'script'], text: 'only for client: scripted' })
    }
  }
  try {
    parseSettings(parsed.broker)
  } catch (error) {
    problems.push({ path: ['broker'], text: messageOf(error) })
  }
  const { defect } = parsed
  if (defect !== null && !defectNames.includes(defect.name)) {
    const text = `${defect.name}: no such defect; there are ${defectNames.join(', ')}`
    problems.push({ path: ['defect', 'name'], text })
  }
  return problems
}

const refuse = (lines: readonly string[]): never => {
  throw new UsageError(lines.join('\n'))
}

/** Parses the text of a file. Throws a `UsageError` with a line `file:line:column: what` per problem. */
export const parseScenario = (text: string, file: string): Scenario => {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false })
  const at = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset)
    return `${file}:${line}:${col}`
  }
  if (document.errors.length > 0) {
    refuse(document.errors.map((error) => `${at(error.pos[0])}: ${messageOf(error)}`))
  }
  const { data, error } = scenarioSchema.safeParse(document.toJS() ?? {})
  const problems = error?.issues.flatMap(problemsOfIssue) ?? semanticProblems(data as never)
  if (problems.length > 0 || data === undefined) {
    return refuse(
      problems.map(({ path: place, text: what }) => {
        return `${at(nodeAt(document, place)?.range?.[0] ?? 0)}: ${what}`
      }),
    )
  }
  const usual = Object.entries(data.members).map(([name, member]) => [
    name,
    member ?? scenarioSchema.shape.members.valueType.parse({}),
  ])
  const name = basename(file).replace(/\.ya?ml$/, '')
  return { ...data, name, file, text, members: Object.fromEntries(usual) }
}

/** The scenarios that come with bench, found upwards from this file: it lies deeper once built. */
const scenarioFolder = (): string => {
  const folders = ['../../scenarios', '../../../scenarios'].map((folder) =>
    fileURLToPath(new URL(folder, import.meta.url)),
  )
  return folders.find((folder) => existsSync(folder)) ?? (folders[0] as string)
}

const isScenarioFile = (name: string): boolean => /\.ya?ml$/.test(name)

/** Names of the scenarios in `folder`, in the order of the alphabet. */
export const scenarioNames = (folder: string = scenarioFolder()): string[] =>
  readdirSync(folder)
    .filter(isScenarioFile)
    .map((name) => name.replace(/\.ya?ml$/, ''))
    .toSorted()

/** By a name of `scenarioNames`, or by the path of a file of one's own. Throws a `UsageError`. */
export const loadScenario = (nameOrFile: string, folder: string = scenarioFolder()): Scenario => {
  const isOwn = isScenarioFile(nameOrFile) || nameOrFile.includes('/')
  if (!isOwn && !scenarioNames(folder).includes(nameOrFile)) {
    throw new UsageError(
      `scenario ${nameOrFile}: no such scenario; a YAML file is allowed, or one of ${scenarioNames(folder).join(', ')}`,
    )
  }
  const file = isOwn ? nameOrFile : join(folder, `${nameOrFile}.yaml`)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`scenario ${file}: a readable file is allowed (${messageOf(error)})`)
  }
  return parseScenario(text, isOwn ? file : relative(process.cwd(), file) || file)
}

/** Its times, and what is produced by time or rate, `factor` times as long; sessions stay. */
export const scaleScenario = (scenario: Scenario, factor: number): Scenario => {
  if (factor === 1) return scenario
  const longer = (ms: number | null): number | null => (ms === null ? null : ms * factor)
  const { timeline, produce, limit } = scenario
  return {
    ...scenario,
    timeline: timeline.map((step) => ({ ...step, at: longer(step.at), wait: longer(step.wait) })),
    produce: produce && { ...produce, duration: longer(produce.duration) },
    limit: limit * Math.max(1, factor),
  }
}
