// A real single-node Apache Kafka on loopback, from the jars that Maven resolves.
import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { brokerJars, jvmFlags, kafkaVersion } from './maven.mjs'
import { freePort, makeFolder, runProcess, startProcess } from './processes.mjs'
import { connect } from './wire-client.mjs'

const readyTimeoutMs = 60_000

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

/**
 * Listeners with TLS, and with SASL plain, SCRAM-SHA-256 and SCRAM-SHA-512 of one user, with and without TLS.
 * `security`: `{ key, certificate }` as PEM, `username`, `password`.
 */
const securedListeners = async (folder, { key, certificate, username, password }) => {
  const ports = {}
  for (const name of ['SSL', 'SASL_SSL', 'SASL_PLAINTEXT']) ports[name] = await freePort()
  const store = path.join(folder, 'keystore.pem')
  writeFileSync(store, `${key}\n${certificate}\n`)
  const names = Object.entries(ports)
  const addresses = names.map(([name, port]) => `${name}://127.0.0.1:${port}`).join(',')
  const module = 'org.apache.kafka.common.security'
  const plain = `${module}.plain.PlainLoginModule required user_${username}="${password}";`
  const scram = `${module}.scram.ScramLoginModule required;`
  const logins = ['sasl_ssl', 'sasl_plaintext'].flatMap((name) => [
    [`listener.name.${name}.plain.sasl.jaas.config`, plain],
    [`listener.name.${name}.scram-sha-256.sasl.jaas.config`, scram],
    [`listener.name.${name}.scram-sha-512.sasl.jaas.config`, scram],
  ])
  const lists = {
    listeners: addresses,
    'advertised.listeners': addresses,
    'listener.security.protocol.map': names.map(([name]) => `${name}:${name}`).join(','),
  }
  const properties = {
    ...lists,
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': store,
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    ...Object.fromEntries(logins),
  }
  const formatArgs = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${username},password=${password}]`,
  ])
  return { ports, properties, formatArgs, isAdded: (name) => name in lists }
}

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
 * Formats and starts Apache Kafka with these settings: `{ port, pid, startMs, stop, output }`. `stop` ends it and removes its
 * data; its process ends with the run in any case. With `security` it has more listeners, whose ports are in `secured`.
 * `flags` are those of its JVM; `startMs` is the time from its spawn until it was ready.
 */
export const startApacheKafka = async (settings, security = null, flags = jvmFlags(512)) => {
  const jars = await brokerJars()
  const folder = makeFolder()
  const [port, controllerPort] = [await freePort(), await freePort()]
  const listeners = security === null ? null : await securedListeners(folder, security)
  const properties = propertiesOf(folder, port, controllerPort, settings)
  for (const [name, value] of Object.entries(listeners?.properties ?? {})) {
    properties[name] = listeners.isAdded(name) ? `${properties[name]},${value}` : value
  }
  const config = path.join(folder, 'server.properties')
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(config, lines.join(''))
  const java = (main, ...args) => [...flags, '-cp', path.join(jars, '*'), main, ...args]
  const clusterId = 'MkU3OEVBNTcwNTJENDM2Qg'
  const users = listeners?.formatArgs ?? []
  const format = java('kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', config, ...users)
  await runProcess('java', format, { timeoutMs: 60_000 })
  const startedMs = performance.now()
  const broker = startProcess('java', java('kafka.Kafka', config), { cwd: folder })
  const stop = async () => {
    await broker.stop(5_000)
    rmSync(folder, { recursive: true, force: true })
  }
  let hasEnded = false
  void broker.ended.then(() => {
    hasEnded = true
  })
  while (!(await isReady(port))) {
    if (hasEnded || performance.now() - startedMs > readyTimeoutMs) {
      await stop()
      const output = broker.output().slice(-3_000)
      throw new Error(`Apache Kafka ${kafkaVersion} did not start:\n${output}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const startMs = performance.now() - startedMs
  const { pid, output } = broker
  return { port, pid, startMs, secured: listeners?.ports ?? null, stop, output }
}
