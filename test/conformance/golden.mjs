// The bytes that Apache Kafka answered, kept under test/golden/apache-kafka so that a unit test has them without Java.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../golden/apache-kafka/', import.meta.url))
/** Longer answers say no more about the encoding. */
const maxBytes = 600

const fileName = (api) => `${api.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()}.json`

/** Whether no error is in it, at any depth. */
const isGood = (value) =>
  typeof value !== 'object' ||
  value === null ||
  Object.entries(value).every(([name, item]) => (name === 'errorCode' ? item === 0 : isGood(item)))

/** Keeps the longest answer of each API and version that is not too long, one without errors if there is any. */
export class Golden {
  constructor() {
    this.answers = new Map()
    this.seen = new Set()
  }

  take(trace) {
    for (const [step, { kind, api, version, body, value }] of trace) {
      if (kind !== 'answer' || value === null) continue
      const key = `${api} ${version}`
      this.seen.add(key)
      if (body.length > maxBytes) continue
      const rank = (isGood(value) ? maxBytes + 1 : 0) + body.length
      if (rank > (this.answers.get(key)?.rank ?? -1)) {
        this.answers.set(key, { api, version, step, body, rank })
      }
    }
  }

  has(api, version) {
    return this.seen.has(`${api} ${version}`)
  }

  save(kafkaVersion) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const answers = [...this.answers.values()]
    for (const api of new Set(answers.map((one) => one.api))) {
      const mine = answers
        .filter((one) => one.api === api)
        .toSorted((a, b) => a.version - b.version)
      const content = {
        api,
        source: `Apache Kafka ${kafkaVersion}, by npm run conformance -- apache-kafka --update-golden`,
        responses: mine.map(({ version, step, body }) => ({
          version,
          what: step.replace(/ v\d+$/, ''),
          hex: body.toString('hex'),
        })),
      }
      writeFileSync(path.join(folder, fileName(api)), `${JSON.stringify(content, null, 2)}\n`)
    }
  }
}
