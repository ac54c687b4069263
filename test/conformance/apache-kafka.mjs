// A real single-node Apache Kafka on loopback, from the jars that Maven resolves (apache-kafka.pom.xml).
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, runProcess, startProcess } from './processes.mjs'
import { connect } from './wire-client.mjs'

/** The version that is the oracle. */
export const kafkaVersion = '4.3.0'

const pom = fileURLToPath(new URL('apache-kafka.pom.xml', import.meta.url))
const readyTimeoutMs = 60_000
const jvmFlags = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

/** The folder with the jars of this version; resolves them once, and again after a run that was cut short. */
const jarsOf = async (version, cacheDir) => {
  const shared = path.join(path.dirname(cacheDir), 'apache-kafka')
  const folder = path.join(shared, version)
  if (existsSync(folder)) return folder
  const unfinished = `${folder}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  await runProcess('mvn', [
    ...['--batch-mode', '--quiet', '--file', pom, `-Dkafka.version=${version}`],
    `-Dmaven.repo.local=${path.join(shared, 'maven')}`,
    ...['dependency:copy-dependencies', `-DoutputDirectory=${unfinished}`],
  ])
  renameSync(unfinished, folder)
  return folder
}

const propertiesOf = (folder, port, controllerPort, settings) => ({
  'process.roles': 'broker,controller',
  'node.id': 1,
  'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
  listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
  'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
  'controller.listener.names': 'CONTROLLER',
  'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
  'log.dirs': path.join(folder, 'data'),
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': 1,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'transaction.state.log.num.partitions': 1,
  ...settings,
})

/** Whether it answers, its group coordinator is loaded (the first FindCoordinator makes it) and it has producer ids. */
const isReady = async (port) => {
  const connection = await connect(port, 'ready').catch(() => null)
  if (connection === null) return false
  try {
    const versions = await connection.ask('ApiVersions', 0, {}, 2_000)
    if (versions?.errorCode !== 0) return false
    const found = await connection.ask('FindCoordinator', 2, { key: 'ready', keyType: 0 }, 2_000)
    if (found?.errorCode !== 0) return false
    const offsets = await connection.ask('OffsetFetch', 7, { groupId: 'ready', topics: null })
    if (offsets?.errorCode !== 0) return false
    const init = { transactionalId: null, transactionTimeoutMs: 60_000 }
    return (await connection.ask('InitProducerId', 1, init, 2_000))?.errorCode === 0
  } finally {
    connection.close()
  }
}

/**
 * Formats and starts Apache Kafka with these settings: `{ port, stop, output }`. `stop` ends it and removes its data;
 * its process ends with the run in any case. Jars are kept beside `cacheDir`, for all parts that need them.
 */
export const startApacheKafka = async (version, cacheDir, settings) => {
  const jars = await jarsOf(version, cacheDir)
  const folder = mkdtempSync(path.join(tmpdir(), 'conformance-kafka-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const [port, controllerPort] = [await freePort(), await freePort()]
  const properties = Object.entries(propertiesOf(folder, port, controllerPort, settings))
  const config = path.join(folder, 'server.properties')
  writeFileSync(config, properties.map(([name, value]) => `${name}=${value}\n`).join(''))
  const java = (main, ...args) => [...jvmFlags, '-cp', path.join(jars, '*'), main, ...args]
  const clusterId = 'MkU3OEVBNTcwNTJENDM2Qg'
  const format = java('kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', config)
  await runProcess('java', format, { timeoutMs: 60_000 })
  const broker = startProcess('java', java('kafka.Kafka', config), { cwd: folder })
  const stop = async () => {
    await broker.stop(5_000)
    rmSync(folder, { recursive: true, force: true })
  }
  let hasEnded = false
  void broker.ended.then(() => {
    hasEnded = true
  })
  const startedMs = performance.now()
  while (!(await isReady(port))) {
    if (hasEnded || performance.now() - startedMs > readyTimeoutMs) {
      await stop()
      throw new Error(`Apache Kafka ${version} did not start:\n${broker.output().slice(-3_000)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return { port, stop, output: broker.output, readyMs: performance.now() - startedMs }
}
