// The scenarios with the clients that bench does not bring, proved with librdkafka, and with kafkajs against Apache Kafka itself.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { startApacheKafka } from '../apache-kafka.mjs'
import { benchBin, folderWith, installedClients, optionalClients } from '../bench-run.mjs'
import { startProcess } from '../processes.mjs'
import { missingToolchain } from '../toolchains.mjs'

const limitMs = 15 * 60_000

/** Plays all scenarios; a check per scenario, with the checks that failed. */
const play = async (folder, where, args, report) => {
  const file = path.join(folder, `scenarios-${where.replaceAll(' ', '-')}.json`)
  const given = [...args, '--no-save', '--quiet', '--json-output', file]
  const child = startProcess(process.execPath, [benchBin, 'scenario', 'run', ...given], {
    cwd: folder,
  })
  const timer = setTimeout(() => void child.stop(0), limitMs)
  const code = await child.ended
  clearTimeout(timer)
  if (!existsSync(file)) {
    report.fail(where, `exit code ${code}\n${child.output().trim()}`)
    return
  }
  const results = JSON.parse(readFileSync(file, 'utf8'))
  for (const { scenario, defect, status, reason, checks, explanation } of results) {
    // What must fail with a defect is the business of the exit code.
    if (defect !== null) continue
    const name = `${where}: ${scenario}`
    const failed = checks.filter(({ ok }) => !ok).map((check) => JSON.stringify(check))
    if (status === 'skipped') report.skip(name, reason)
    else if (status === 'passed') report.pass(name)
    else report.fail(name, [...failed, ...explanation].join('\n'))
  }
  if (code === 0) report.pass(`${where}: exit code`)
  else report.fail(`${where}: exit code`, `${code}, not 0`)
}

const onApacheKafka = async (report) => {
  const missing = missingToolchain(['java', 'mvn'])
  if (missing !== null) {
    report.skip('Apache Kafka', missing)
    return
  }
  const kafka = await startApacheKafka({ 'group.initial.rebalance.delay.ms': 100 })
  try {
    const folder = await folderWith(null)
    const args = ['-b', `127.0.0.1:${kafka.port}`, '--at-once', '6']
    await play(folder, 'Apache Kafka', args, report)
  } finally {
    await kafka.stop()
  }
}

export default {
  name: 'scenarios',
  needs: [],
  async run({ report }) {
    for (const { client, folder } of await installedClients(optionalClients, report)) {
      // The broker is the same whoever plays: one client's proofs are enough, beside those of kafkajs.
      const prove = client.name === 'librdkafka' ? ['--prove'] : []
      await play(folder, client.name, [...prove, '--client', client.name], report)
    }
    await onApacheKafka(report)
  },
}
