/** What a scenario file may hold, as rows for its documentation: made from the schema, so that they say the same. */
import { z } from 'zod'
import { scenarioSchema } from './schema.ts'

export interface FieldRow {
  /** Dotted, with `[]` for the elements of a list and NAME for a key that the file chooses. */
  readonly field: string
  readonly allowed: string
  /** `needed`, the default as a file would say it, or a dash for none. */
  readonly usual: string
  readonly description: string
}

type JsonSchema = z.core.JSONSchema.BaseSchema

/** A file in which every kind of field occurs, and none is given that could be left out. */
const smallest = {
  title: 'x',
  guards: 'x',
  source: 'x',
  produce: { records: 1 },
  members: { name: {} },
  timeline: [{ start: 'name' }],
  faults: [{ api: 'JoinGroup' }],
}

/** Without the null that stands for "not given". */
const withoutNull = (schema: JsonSchema): JsonSchema => {
  const { anyOf, type } = schema
  if (Array.isArray(type))
    return { ...schema, type: type.find((one) => one !== 'null') } as JsonSchema
  const options = anyOf?.filter((one) => one.type !== 'null')
  const [only] = options ?? []
  if (options?.length !== 1) return options === undefined ? schema : { ...schema, anyOf: options }
  return withoutNull({ ...(only as JsonSchema), ...withoutOptions(schema) })
}

const withoutOptions = ({ anyOf: _options, ...rest }: JsonSchema): JsonSchema => rest

const allowedOf = (given: JsonSchema): string => {
  const schema = withoutNull(given)
  if (schema.title === 'check') return 'a check'
  if (schema.enum !== undefined) return schema.enum.map(String).join(', ')
  if (schema.const !== undefined) return String(schema.const)
  if (schema.anyOf !== undefined) {
    return schema.anyOf.map((one) => allowedOf(one)).join(' or ')
  }
  if (schema.type === 'array') return `list of ${allowedOf((schema.items ?? {}) as JsonSchema)}`
  if (schema.type === 'string') return schema.format === 'time' ? 'time' : 'text'
  if (schema.type === 'integer' || schema.type === 'number') return 'number'
  return schema.type === 'boolean' ? 'true, false' : 'fields below'
}

const units: [string, number][] = [
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
]

const timeText = (ms: number): string => {
  const [unit, unitMs] = units.find(([, one]) => ms >= one && ms % one === 0) ?? ['s', 1_000]
  return `${ms / unitMs}${unit}`
}

const usualOf = (value: unknown, schema: JsonSchema): string => {
  if (value === null || value === undefined) return '–'
  if (schema.format === 'time') return timeText(Number(value))
  return typeof value === 'object' ? '' : `${value as string | number | boolean}`
}

const rowsOf = (schema: JsonSchema, prefix: string, parsed: unknown): FieldRow[] => {
  const needed = new Set(schema.required ?? [])
  return Object.entries(schema.properties ?? {}).flatMap(([name, given]) => {
    const one = withoutNull(given as JsonSchema)
    const field = `${prefix}${name}`
    const value = (parsed as Record<string, unknown> | null)?.[name]
    const usual = needed.has(name) ? 'needed' : usualOf(value, one)
    const row = { field, allowed: allowedOf(one), usual, description: one.description ?? '' }
    return [row, ...innerRows(one, field, value)]
  })
}

const innerRows = (schema: JsonSchema, field: string, parsed: unknown): FieldRow[] => {
  if (schema.type === 'object') {
    const values = schema.additionalProperties
    if (typeof values !== 'object') return rowsOf(schema, `${field}.`, parsed)
    const one = (parsed as Record<string, unknown> | null)?.['name']
    return rowsOf(withoutNull(values), `${field}.NAME.`, one)
  }
  const items = schema.type === 'array' ? (schema.items as JsonSchema) : null
  return items?.type === 'object' ? rowsOf(items, `${field}[].`, (parsed as unknown[])[0]) : []
}

/** Every field, each behind the one that it belongs to. */
export const fieldRows = (): FieldRow[] => {
  const schema = z.toJSONSchema(scenarioSchema, { io: 'input', unrepresentable: 'any' })
  const parsed = scenarioSchema.parse(smallest)
  return rowsOf(schema, '', { ...parsed, produce: { ...parsed.produce, records: null } })
}
