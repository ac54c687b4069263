/** The fields of an OpenMessaging Benchmark file with the lines they stand on: it is flat YAML. */
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import { UsageError } from '../errors.ts'

/** What a file comes to. */
export interface Translation {
  /** Arguments of `bench run`. */
  args: string[]
  /** What has no option, a line each. */
  notes: string[]
}

export interface Field {
  name: string
  value: unknown
  line: number
}

/** Throws a `UsageError` with a line for each problem. */
export const refuseAll = (problems: readonly string[]): void => {
  if (problems.length > 0) throw new UsageError(problems.join('\nbench: '))
}

/** Throws a `UsageError` that names file and line when `text` is not a YAML mapping of names. */
export const readFields = (text: string, file: string): Field[] => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const lineAt = (offset: number): number => lines.linePos(offset).line
  refuseAll(
    document.errors.map(({ pos, message }) => {
      return `${file}:${lineAt(pos[0])}: ${message.replaceAll(/\s*\n\s*/g, ' ')}`
    }),
  )
  const { contents } = document
  if (!isMap(contents))
    throw new UsageError(`${file}: fields as of OpenMessaging Benchmark are needed`)
  return contents.items.map(({ key, value }) => {
    const name = isScalar(key) ? String(key.value) : String(key)
    const line = lineAt((isScalar(key) && key.range?.[0]) || 0)
    return { name, value: isScalar(value) ? value.value : value, line }
  })
}

export type FieldKind = 'text' | 'integer' | 'fraction' | 'truth'

const fits: Readonly<Record<FieldKind, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string',
  integer: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  fraction: (value) => typeof value === 'number' && value >= 0 && value <= 1,
  truth: (value) => typeof value === 'boolean',
}

const needed: Readonly<Record<FieldKind, string>> = {
  text: 'a text',
  integer: 'a whole number',
  fraction: 'a number from 0 to 1',
  truth: 'true or false',
}

/** `file:line: what` for each field that is unknown, not of its kind, or there twice. */
export const problemsOf = (
  fields: readonly Field[],
  kinds: Readonly<Record<string, FieldKind>>,
  file: string,
): string[] =>
  fields.flatMap(({ name, value, line }) => {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
    if (kind === undefined) {
      const known = Object.keys(kinds).join(', ')
      return [`${file}:${line}: ${name}: no field that bench knows; there are ${known}`]
    }
    return fits[kind](value) ? [] : [`${file}:${line}: ${name}: ${needed[kind]} is needed`]
  })
