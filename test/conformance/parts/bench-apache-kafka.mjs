// The real bin with every client library against Apache Kafka itself: exact counts, TLS, SASL, and what is refused.
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { generate } from 'selfsigned'
import { startApacheKafka } from '../apache-kafka.mjs'
import {
  counts,
  folderWith,
  installedClients,
  optionalClients,
  ownClients,
  Runs,
} from '../bench-run.mjs'
import { runProcess } from '../processes.mjs'

const clients = [...Object.values(ownClients), ...optionalClients]
const records = 2_000
const [username, password] = ['ann', 'correct-horse-battery-staple']
const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512']
const connect = fileURLToPath(new URL('../connect.mjs', import.meta.url))

const certificate = () =>
  generate([{ name: 'commonName', value: 'bench conformance' }], {
    keySize: 2048,
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  })

const groupOn = (topic, group, assignor = 'range') => [
  ...['--mode', 'consume', '-t', topic, '--consumer-group', group],
  ...['--consumers', '3', '--stagger', '1s', '--assignor', assignor],
]

const sendAndRead = async (runs, topic) => {
  const n = ['-n', String(records), '-s', '200', '-t', topic, '-p', '3', '--create-topic']
  const codec = runs.client.codecs.at(-1)
  const args = [...n, '--validate', '--idempotent', '--compression', codec]
  await runs.ok(`idempotent, ${codec}`, args, counts(records))
  for (const assignor of runs.client.assignors) {
    const group = groupOn(topic, `${topic}-${assignor}`, assignor)
    await runs.ok(`a group of three, ${assignor}`, group, counts(records))
  }
}

/** What the driver says of a connection that must not work: where, and never the password. */
const refused = async (client, folder, report, check, port, security, expected) => {
  const name = `${client.name}: ${check}`
  const connection = {
    bootstrapServers: [`127.0.0.1:${port}`],
    clientId: 'bench',
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 10_000,
    security: { tls: null, sasl: null, ...security },
    properties: {},
  }
  const args = [connect, client.name, JSON.stringify(connection)]
  const output = (await runProcess(process.execPath, args, { cwd: folder })).trim()
  const told = output.split('\n').at(-1)
  const isRight =
    told.includes('"SurroundingsError"') &&
    told.includes(`127.0.0.1:${port}`) &&
    expected.test(told) &&
    !output.includes(password)
  if (isRight) report.pass(name)
  else report.fail(name, output)
}

const refusals = async ({ client, folder, report }, { SSL, SASL_SSL, SASL_PLAINTEXT }, caFile) => {
  const tls = { caFile, certFile: null, keyFile: null }
  const check = (...args) => refused(client, folder, report, ...args)
  const unknown = { tls: { ...tls, caFile: null } }
  await check('an unknown authority', SSL, unknown, /self.signed|certificate/i)
  for (const mechanism of mechanisms) {
    const sasl = { mechanism, username, password: `${password}!` }
    await check(`a wrong password, ${mechanism}`, SASL_SSL, { tls, sasl }, /authenticat|SASL/i)
  }
  await check('no SASL where it is needed', SASL_PLAINTEXT, {}, /./)
}

const run = async ({ report }) => {
  const { private: key, cert } = await certificate()
  const caFile = path.join(await folderWith(null), 'ca.pem')
  writeFileSync(caFile, cert)
  const kafka = await startApacheKafka({}, { key, certificate: cert, username, password })
  const { SSL, SASL_SSL, SASL_PLAINTEXT } = kafka.secured
  const env = { BENCH_SASL_PASSWORD: password }
  const login = (mechanism) => ['--sasl', mechanism, '--sasl-username', username]
  const check = async ({ client, folder }) => {
    const at = (where, port, args = []) => {
      const broker = ['-b', `127.0.0.1:${port}`, ...args]
      return new Runs(client, folder, { where: `${where}: `, args: broker, env }, report)
    }
    const plain = at('Apache Kafka', kafka.port)
    await sendAndRead(plain, client.name)
    const both = ['--mode', 'round-trip', '-n', '300']
    await at('TLS', SSL, ['--tls-ca', caFile]).ok('round-trip', both, counts(300))
    for (const mechanism of mechanisms) {
      const runs = at(`TLS, SASL ${mechanism}`, SASL_SSL, ['--tls-ca', caFile, ...login(mechanism)])
      await runs.ok('round-trip', both, counts(300))
      if (mechanism === mechanisms.at(-1))
        await runs.ok(
          'a group of three',
          groupOn(client.name, `${client.name}-sasl`),
          counts(records),
        )
    }
    const open = at('SASL', SASL_PLAINTEXT, login('scram-sha-512'))
    await open.ok('round-trip', both, counts(300))
    await refusals(plain, kafka.secured, caFile)
  }
  await Promise.all((await installedClients(clients, report)).map(check))
  await kafka.stop()
}

export default { name: 'bench-apache-kafka', needs: ['java', 'mvn', 'npm'], run }
