import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { versionsOf } from '../../../test/support/arbitrary-message.ts'
import type { Api } from '../api.ts'
import { assignment, maxConsumerProtocolVersion, subscription } from '../consumer-protocol.ts'
import { type AnyCodec, array, int16, int32, nullable, string, zeroUuid } from '../schema.ts'
import { since, struct, tagged } from '../struct.ts'
import { apis } from './index.ts'
import { joinGroup } from './join-group.ts'
import { saslAuthenticate } from './sasl-authenticate.ts'

const kafkaReleases = ['3.9.1', '4.3.1'] as const

interface OfficialField {
  name: string
  type: string
  versions: string
  nullableVersions?: string
  taggedVersions?: string
  tag?: number
  default?: string | number | boolean
  fields?: OfficialField[]
}

interface OfficialMessage {
  apiKey: number
  validVersions: string
  flexibleVersions: string
  fields: OfficialField[]
  commonStructs?: OfficialField[]
}

const readOfficial = (release: string, name: string): OfficialMessage => {
  const path = `../../../test/fixtures/kafka-messages/${release}/${name}.json`
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as OfficialMessage
}

/** `5+`, `3-7`, `4` and `none` as an inclusive range. */
const isWithin = (range: string | undefined, version: number): boolean => {
  if (range === undefined || range === 'none') return false
  const [from, to] = range.endsWith('+') ? [range.slice(0, -1), 'Infinity'] : range.split('-')
  return version >= Number(from) && version <= Number(to ?? from)
}

/** A line for each field in the order of the wire: path, type, nullability, tag, default. */
type Line = string

const line = (
  path: string,
  type: string,
  isNullable: boolean,
  tag: number | null,
  value: unknown,
): Line =>
  `${path}: ${type}${isNullable ? '?' : ''}${tag === null ? '' : ` tag ${tag}`}${
    value === undefined ? '' : ` = ${JSON.stringify(value)}`
  }`

/** Kafka's implicit default; a nullable field has it too unless it says otherwise. */
const zeroOf = (type: string): unknown => {
  if (type === 'array') return []
  if (type === 'string' || type === 'bytes') return ''
  if (type === 'bool') return false
  return type === 'uuid' ? zeroUuid : 0
}

const officialDefault = ({ type, default: value }: OfficialField): unknown => {
  if (value === undefined || value === 'null') return value === 'null' ? null : undefined
  if (type === 'string' || typeof value === 'boolean') return value
  return value === 'true' || value === 'false' ? value === 'true' : Number(value)
}

const officialLines = (
  message: OfficialMessage,
  fields: readonly OfficialField[],
  version: number,
  path = '',
): Line[] =>
  fields.flatMap((field) => {
    const isTagged = isWithin(field.taggedVersions, version)
    if (!isWithin(field.versions, version) && !isTagged) return []
    const here = `${path}${field.name.charAt(0).toLowerCase()}${field.name.slice(1)}`
    const element = field.type.startsWith('[]') ? field.type.slice(2) : null
    const named = element ?? field.type
    const inner =
      field.fields ?? message.commonStructs?.find(({ name }) => name === named)?.fields ?? null
    const type = inner === null ? named : 'struct'
    const isNullable = isWithin(field.nullableVersions, version)
    const tag = isTagged ? (field.tag ?? null) : null
    const own = line(
      here,
      element === null ? type : 'array',
      isNullable,
      tag,
      officialDefault(field),
    )
    const below = element === null ? `${here}.` : `${here}[].`
    return [
      own,
      ...(element === null ? [] : [line(`${here}[]`, type, false, null, undefined)]),
      ...(inner === null ? [] : officialLines(message, inner, version, below)),
    ]
  })

const elementLines = (codec: AnyCodec, version: number, path: string): Line[] => {
  const isNullable = codec.nullableFrom !== null && version >= codec.nullableFrom
  return [line(path, codec.type, isNullable, null, undefined), ...innerLines(codec, version, path)]
}

const innerLines = (codec: AnyCodec, version: number, path: string): Line[] => [
  ...(codec.element === undefined ? [] : elementLines(codec.element, version, `${path}[]`)),
  ...tableLines(codec, version, path === '' ? '' : `${path}.`),
]

const tableLines = (codec: AnyCodec, version: number, path = ''): Line[] =>
  Object.entries(codec.fields ?? {}).flatMap(([name, field]) => {
    if (version < field.fromVersion || version > field.toVersion) return []
    const { type, nullableFrom } = field.codec
    const isNullable = nullableFrom !== null && version >= nullableFrom
    // A default equal to Kafka's implicit one needs no mention there, and a struct's is made of its fields'.
    const value = field.hasDefault && type !== 'struct' ? field.default : undefined
    return [
      line(`${path}${name}`, type, isNullable, field.tag, value),
      ...innerLines(field.codec, version, `${path}${name}`),
    ]
  })

const withoutDefault = (text: Line): Line => text.replace(/ = .*/, '')

/** Where a table differs from the official message in one version. */
const differences = (table: AnyCodec, message: OfficialMessage, version: number): string[] => {
  const ours = tableLines(table, version)
  const official = officialLines(message, message.fields, version)
  const found: string[] = []
  for (let index = 0; index < Math.max(ours.length, official.length); index++) {
    const own = ours[index] ?? 'nothing'
    const theirs = official[index] ?? 'nothing'
    if (own === theirs) continue
    const isImplicit =
      withoutDefault(own) === withoutDefault(theirs) &&
      isSameDefault(own.split(' = ')[1], theirs.split(' = ')[1], own)
    if (!isImplicit) found.push(`${own} | ${theirs}`)
  }
  return found
}

/** Ours may spell out what Kafka leaves implicit; what Kafka spells out, ours must say, unless it is implicit. */
const isSameDefault = (
  own: string | undefined,
  theirs: string | undefined,
  text: Line,
): boolean => {
  const type = /: (\w+)/.exec(text)?.[1] ?? ''
  const implicit = [JSON.stringify(zeroOf(type)), text.includes('?') ? 'null' : '']
  if (theirs === undefined) return own === undefined || implicit.includes(own)
  return own === undefined && implicit[0] === theirs
}

describe.each([...Object.values(apis), saslAuthenticate] as Api[])('$name', (one) => {
  const kinds = ['Request', 'Response'] as const
  it.each(kinds)('%s is field by field as Kafka defines it, in every version', (kind) => {
    const table = kind === 'Request' ? one.request : one.response
    const checked = new Set<number>()
    for (const release of kafkaReleases) {
      const message = readOfficial(release, `${one.name}${kind}`)
      expect(message.apiKey).toBe(one.key)
      for (const version of versionsOf(one)) {
        if (!isWithin(message.validVersions, version)) continue
        checked.add(version)
        expect(differences(table, message, version), `${release} v${version}`).toEqual([])
        const isFlexible = one.flexibleFrom !== null && version >= one.flexibleFrom
        expect(isFlexible, `${release} v${version}`).toBe(
          isWithin(message.flexibleVersions, version),
        )
      }
    }
    expect([...checked].toSorted((a, b) => a - b)).toEqual(versionsOf(one))
  })
})

describe('consumer protocol', () => {
  it.each([
    ['ConsumerProtocolSubscription', subscription],
    ['ConsumerProtocolAssignment', assignment],
  ] as const)('%s is as Kafka defines it', (name, table) => {
    for (const release of kafkaReleases) {
      const message = readOfficial(release, name)
      for (let version = 0; version <= maxConsumerProtocolVersion; version++) {
        expect(isWithin(message.validVersions, version)).toBe(true)
        expect(isWithin(message.flexibleVersions, version)).toBe(false)
        expect(differences(table, message, version), `${release} v${version}`).toEqual([])
      }
    }
  })
})

describe('the comparison itself', () => {
  const official = readOfficial('4.3.1', 'JoinGroupResponse')
  const { fields } = joinGroup.response
  const altered = (change: Parameters<typeof struct>[0]): AnyCodec =>
    struct({ ...(fields as unknown as Parameters<typeof struct>[0]), ...change })
  const member = { memberId: string, metadata: string }

  it('finds nothing in the table as it is', () => {
    expect(differences(joinGroup.response, official, 9)).toEqual([])
  })

  it.each<[string, AnyCodec, number]>([
    ['type', altered({ generationId: int16 }), 5],
    ['nullability', altered({ leader: nullable(string) }), 5],
    ['version', altered({ skipAssignment: since(8, int16, 0) }), 8],
    ['default', altered({ generationId: since(0, int32, 0) }), 5],
    ['tag', altered({ skipAssignment: tagged(0, 9, int16) }), 9],
    ['array', altered({ leader: array(string) }), 5],
    ['added field', altered({ extra: int32 }), 5],
    ['missing field inside an array', altered({ members: array(struct(member)) }), 5],
    ['name', struct({ throttleTime: int32 }), 5],
  ])('finds an altered %s', (_what, table, version) => {
    expect(differences(table, official, version)).not.toEqual([])
  })

  it('finds two fields that have changed places', () => {
    const [first, second, ...rest] = Object.entries(fields ?? {})
    const swapped = Object.fromEntries([second, first, ...rest].filter((one) => one !== undefined))
    expect(differences(struct(swapped), official, 5)).not.toEqual([])
  })
})
