// The real bin with its own client and with each optional library against the embedded broker.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  bench,
  benchBin,
  counts,
  folderWith,
  installedClients,
  optionalClients,
  ownClients,
  Runs,
} from '../bench-run.mjs'
import { runProcess, startBenchBroker } from '../processes.mjs'

const records = 3_000

const produce = async (runs) => {
  const { client } = runs
  const n = ['-n', String(records), '-s', '200']
  for (const acks of ['0', '1', 'all']) await runs.ok(`acks ${acks}`, [...n, '--acks', acks])
  await runs.ok('validated, and says which library', [...n, '--validate'], (result) =>
    result.environment.client === client.told
      ? counts(records)(result)
      : `client '${result.environment.client}', not '${client.told}'`,
  )
  await runs.ok('idempotent', [...n, '--idempotent', '--validate'], counts(records))
  for (const codec of client.codecs) {
    const args = [...n, '--compression', codec, '--validate', '--compressibility', '0.5']
    await runs.ok(codec, args, counts(records))
  }
  await runs.ok('keys', [...n, '--key-pattern', 'random', '--validate'], counts(records))
  const small = ['-n', String(records), '--validate', '-s']
  const smallest = String(client.smallestBytes)
  await runs.ok(`values of ${smallest} bytes`, [...small, smallest], counts(records))
  if (client.smallestBytes > 0) {
    const tooSmall = [...small, String(client.smallestBytes - 1)]
    await runs.refused('smaller values', tooSmall, `${client.name} takes ${smallest} bytes or more`)
  }
}

const consume = async (runs) => {
  const { name, hasGenerations } = runs.client
  const topic = `read-by-${name}`
  const fill = ['-t', topic, '--create-topic', '-n', '60000', '-s', '100', '-p', '6']
  await runs.ok('fill', fill, counts(60_000))
  const group = ['--mode', 'consume', '-t', topic, '--consumers', '3']
  for (const assignor of runs.client.assignors) {
    const args = [...group, '--stagger', '1s', '--assignor', assignor]
    await runs.ok(`a group of three, ${assignor}`, args, (result) => {
      // The run ends when the last member has its partitions, perhaps before the others have given theirs up.
      const silent = result.consumers.filter((one) => one.partitions.length === 0)
      if (silent.length > 0) return `no partitions: ${JSON.stringify(silent)}`
      const isToldOf = result.consumers.every((one) => one.generations.length > 0)
      if (isToldOf !== hasGenerations) return `generations: ${isToldOf}`
      return counts(60_000)(result)
    })
  }
  const resumed = ['--mode', 'consume', '-t', topic, '--consumer-group', `${topic}-resumes`]
  await runs.ok('-n commits what it read', [...resumed, '-n', '20000'], (result) =>
    result.warnings.some(({ code }) => code === 'commit-failed')
      ? 'its last commit failed'
      : counts(20_000)(result),
  )
  await runs.ok('and another run goes on there', resumed, counts(40_000))
  const kept = [...resumed, '--disable-auto-commit', '--from', 'earliest']
  await runs.ok('commits nothing when told so', kept, counts(60_000))
}

const otherModes = async (runs) => {
  await runs.ok('round-trip', ['--mode', 'round-trip', '-n', '1000'], counts(1_000))
  await runs.ok('metadata', ['--mode', 'metadata', '-n', '500', '-c', '8'], counts(500))
}

const refusals = async (runs) => {
  const { name, install } = runs.client
  await runs.refused('an unknown property', ['-n', '1', '-X', 'no.such=1'], name)
  if (install === null) return
  const sticky = ['--mode', 'consume', '--assignor', 'cooperative-sticky']
  await runs.refused('an assignor it lacks', sticky, name)
  await runs.refused('its package is missing', ['-n', '1'], install, tmpdir())
}

/** A broker that is killed while the run produces or consumes: exit code 3, in bounded time. */
const killedBroker = async ({ client, folder, report }) => {
  for (const mode of ['produce', 'consume']) {
    const name = `${client.name}: ${mode}, the broker is killed`
    const broker = await startBenchBroker()
    const base = ['-b', `127.0.0.1:${broker.port}`, '--client', client.name, '-t', 'killed']
    const until = mode === 'consume' ? ['--until', 'duration'] : []
    if (mode === 'consume') await bench(folder, [...base, '--create-topic', '-n', '1000'])
    const ended = bench(folder, [...base, ...until, '--mode', mode, '-d', '120s', '-w', '0s'])
    await new Promise((resolve) => setTimeout(resolve, 4_000))
    await broker.stop(0)
    const { code, output } = await ended
    if (code === 3 && output.includes('bench: ')) report.pass(name)
    else report.fail(name, `exit code ${code}, not 3\n${output}`)
  }
}

/** A mount namespace of its own gives a small disk without touching the machine's. */
const inNamespace = (command) => ['-rm', 'sh', '-c', command]
const canMount = () =>
  spawnSync('unshare', inNamespace('mount -t tmpfs -o size=1m tmpfs /mnt')).status === 0

/** A broker whose disk is full: exit code 3 and a line that says so, long before messages time out. */
const fullDisk = async ({ client, report }) => {
  const name = `${client.name}: a full disk`
  if (!canMount()) {
    report.skip(name, 'needs leave to mount in a namespace (unshare)')
    return
  }
  const folder = await folderWith(client.listed)
  mkdirSync(path.join(folder, '.bench'))
  const args = ['run', '--client', client.name, '-s', '10000', '-d', '30s', '--no-save', '--quiet']
  const command = `mount -t tmpfs -o size=16m tmpfs .bench && exec "$0" "$@"`
  const whole = [process.execPath, benchBin, ...args]
  try {
    await runProcess('unshare', [...inNamespace(command), ...whole], {
      cwd: folder,
      timeoutMs: 90_000,
    })
    report.fail(name, 'exit code 0')
  } catch (error) {
    const isTold = error.message.includes('exit code 3') && /space|disk/i.test(error.message)
    if (isTold) report.pass(name)
    else report.fail(name, error.message)
  }
}

/** Brokers of old; of one older than the library speaks to: one line, before anything is sent. */
const oldBrokers = async ({ client, folder, report }) => {
  for (const profile of client.oldProfiles ?? ['kafka-2.4']) {
    const broker = await startBenchBroker({}, { profile })
    const args = ['-b', `127.0.0.1:${broker.port}`]
    const old = new Runs(client, folder, { where: `${profile}, `, args }, report)
    const topic = ['-t', 'old']
    await old.ok('produce', [...topic, '--create-topic', '-n', '500'])
    const read = [...topic, '--mode', 'consume']
    if (client.name === 'platformatic') {
      await old.refused('consume', read, 'platformatic cannot speak to the broker')
    } else await old.ok('consume', read, counts(500))
    await broker.stop()
  }
}

const run = async ({ report }) => {
  const broker = await startBenchBroker()
  const args = ['-b', `127.0.0.1:${broker.port}`]
  const all = [produce, consume, otherModes, refusals, oldBrokers, killedBroker, fullDisk]
  const check = async ({ client, folder }) => {
    const runs = new Runs(client, folder, { args }, report)
    for (const checks of all) await checks(runs)
  }
  const clients = [ownClients.wire, ...optionalClients]
  await Promise.all((await installedClients(clients, report)).map(check))
  await broker.stop()
}

export default { name: 'bench-clients', needs: ['npm'], run }
