// Compares what two brokers answered in one scenario, field by field, after the masks of masks.mjs.
import { zeroUuid } from '../../dist/src/protocol/schema.js'
import { masks } from './masks.mjs'

/** Kafka's member ids are CLIENT-UUID: the client part stays, so that members can be told apart and sorted. */
const aliasOf = (value, aliases) => {
  if (value === null || value === '' || value === -1 || value === zeroUuid) return value
  const text = String(value)
  const [, prefix = ''] = /^(.*-)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.exec(text) ?? []
  if (!aliases.has(text)) aliases.set(text, `${prefix ?? ''}<${aliases.size + 1}>`)
  return aliases.get(text)
}

const sortKey = (value) =>
  String(value?.name ?? value?.memberId ?? value?.groupId ?? value?.topic ?? '') +
  String(value?.partitionIndex ?? value?.partition ?? value?.index ?? '').padStart(6, '0')

const apply = (how, value, { aliases, port }) => {
  if (how === 'ignore') return '(masked)'
  if (how === 'alias') return aliasOf(value, aliases)
  if (how === 'own port') return value === port ? '(own port)' : value
  if (how === 'text') return value === null ? null : '(text)'
  if (how === 'no internal') return value.filter((topic) => topic.name !== '__consumer_offsets')
  // These two are judged with both values at hand, in `reconciled`.
  if (how === 'subset' || how === 'at most') return value
  if (how === 'sorted') {
    return Array.isArray(value)
      ? value.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : sortKey(a) > sortKey(b) ? 1 : 0))
      : value
  }
  throw new Error(`unknown mask ${how}`)
}

/** What has been masked in the whole run, so that a mask that hides nothing is seen. */
export const usedMasks = new Set()

const isFor = (mask, api, path) =>
  (mask.api === undefined || mask.api === api) && mask.field === path.replace(/^.*\./, '')

/** The value as plain JSON with the masks applied. */
const masked = (value, api, path, scope) => {
  let result = Buffer.isBuffer(value) ? value.toString('hex') : value
  if (typeof result === 'bigint') result = Number(result)
  for (const mask of masks) {
    if (!isFor(mask, api, path)) continue
    usedMasks.add(mask)
    result = apply(mask.how, result, scope)
  }
  if (Array.isArray(result)) return result.map((item) => masked(item, api, `${path}[]`, scope))
  if (typeof result !== 'object' || result === null) return result
  const entries = Object.entries(result)
  return Object.fromEntries(
    entries.map(([name, item]) => [
      name,
      masked(item, api, path === '' ? name : `${path}.${name}`, scope),
    ]),
  )
}

const isObject = (value) => typeof value === 'object' && value !== null

const keyOf = (item) => item?.name ?? item?.apiKey

/** What is left of Kafka's value to compare with ours: less, where a mask lets ours have less. */
const reconciled = (kafka, bench, api, path) => {
  const hows = masks.filter((mask) => isFor(mask, api, path)).map(({ how }) => how)
  if (hows.includes('at most') && bench < kafka) return bench
  if (Array.isArray(kafka) && Array.isArray(bench)) {
    const keys = new Set(bench.map(keyOf))
    const shared = hows.includes('subset') ? kafka.filter((item) => keys.has(keyOf(item))) : kafka
    return shared.map((item, i) => reconciled(item, bench[i], api, `${path}[]`))
  }
  if (!isObject(kafka) || !isObject(bench)) return kafka
  const entries = Object.entries(kafka)
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      reconciled(value, bench[name], api, path === '' ? name : `${path}.${name}`),
    ]),
  )
}

/** Paths at which two plain values differ, with both values. */
const differences = (kafka, bench, path = '') => {
  if (isObject(kafka) && isObject(bench) && Array.isArray(kafka) === Array.isArray(bench)) {
    const names = new Set([...Object.keys(kafka), ...Object.keys(bench)])
    return [...names].flatMap((name) => {
      const element = kafka[name]?.name ?? bench[name]?.name ?? name
      const segment = Array.isArray(kafka) ? `[${element}]` : path === '' ? name : `.${name}`
      return differences(kafka[name], bench[name], path + segment)
    })
  }
  return kafka === bench ? [] : [{ path, kafka, bench }]
}

/** Differences of two traces: `{ step, api, path, kafka, bench }`; `path` is empty when the outcome is of another kind. */
export const compareTraces = (kafka, bench) => {
  const scopes = {
    kafka: { aliases: new Map(), port: kafka.port },
    bench: { aliases: new Map(), port: bench.port },
  }
  const steps = new Set([...kafka.trace.keys(), ...bench.trace.keys()])
  return [...steps].flatMap((step) => {
    const [one, other] = [kafka.trace.get(step), bench.trace.get(step)]
    const place = { step: `${kafka.name}: ${step}`, api: one?.api ?? other?.api ?? null }
    if (one?.kind !== other?.kind) {
      const [left, right] = [one?.kind ?? 'not reached', other?.kind ?? 'not reached']
      return [{ ...place, path: '', kafka: left, bench: right }]
    }
    const ours = masked(other.value, place.api, '', scopes.bench)
    const theirs = masked(one.value, place.api, '', scopes.kafka)
    const found = differences(reconciled(theirs, ours, place.api, ''), ours)
    return found.map((difference) => ({ ...place, ...difference }))
  })
}
