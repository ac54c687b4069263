// The clients of the matrix: what each needs, how it is installed, how its program is started, and what it can.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { installed } from '../cache.mjs'
import { jarsOf, jvmFlags } from '../maven.mjs'
import { runProcess } from '../processes.mjs'

const programs = fileURLToPath(new URL('.', import.meta.url))
const codecs = ['gzip', 'snappy', 'lz4', 'zstd']

const python = (title, program, packages) => ({
  title,
  needs: ['python3'],
  codecs,
  get key() {
    // The environment is tied to the Python that made it.
    const question = 'import sys; print(sys.version, sys.prefix)'
    const { stdout } = spawnSync('python3', ['-c', question], { encoding: 'utf8' })
    return `${packages.join(' ')} ${stdout}`
  },
  async install(folder) {
    await runProcess('python3', ['-m', 'venv', '--clear', folder])
    const pip = path.join(folder, 'bin', 'pip')
    await runProcess(pip, ['install', '--quiet', '--disable-pip-version-check', ...packages])
  },
  command: (folder) => [path.join(folder, 'bin', 'python'), path.join(programs, program)],
})

const kafkaPython = (version) =>
  python('kafka-python', 'kafka-python/client.py', [
    `kafka-python==${version}`,
    'lz4==4.4.5',
    'python-snappy==0.7.3',
    'zstandard==0.25.0',
  ])

const node = (title, program, { needs = ['npm'], install = null, key = '' } = {}) => ({
  title,
  needs,
  codecs,
  key,
  install,
  command: () => [process.execPath, path.join(programs, 'node', program)],
})

/** Not every npm builds a package as it installs it. librdkafka's own build runs before, since it would use one core. */
const buildNative = async (cwd) => {
  const jobs = availableParallelism()
  const timeoutMs = 1_200_000
  await runProcess(process.execPath, ['util/configure'], { cwd })
  const make = ['-s', '-C', 'deps/librdkafka', '-j', jobs, 'libs', 'install']
  await runProcess('make', make, { cwd, timeoutMs })
  const prefix = path.dirname(path.dirname(process.execPath))
  // Where Node.js came with its headers, they need not be downloaded.
  const hasHeaders = existsSync(path.join(prefix, 'include', 'node', 'node.h'))
  const nodeDir = hasHeaders ? { npm_config_nodedir: prefix } : {}
  const env = { ...process.env, ...nodeDir, JOBS: String(jobs) }
  await runProcess('npm', ['run', 'install', '--loglevel=error'], { cwd, timeoutMs, env })
}

const npm = (name, version, program, { needs, isNative = false } = {}) =>
  node(name, program, {
    needs,
    key: version,
    async install(folder) {
      const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
      writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
      const install = ['install', '--ignore-scripts', ...quiet, `${name}@${version}`]
      await runProcess('npm', install, { cwd: folder })
      if (isNative) await buildNative(path.join(folder, 'node_modules', name))
    },
  })

const go = (title, name) => ({
  title,
  needs: ['go'],
  codecs,
  key: [path.join(name, 'main.go'), path.join('ask', 'ask.go'), 'go.sum']
    .map((file) => readFileSync(path.join(programs, 'go', file), 'utf8'))
    .join(''),
  async install(folder) {
    const args = ['build', '-buildvcs=false', '-o', path.join(folder, name), `./${name}`]
    await runProcess('go', args, { cwd: path.join(programs, 'go') })
  },
  command: (folder) => [path.join(folder, name)],
})

const clientSource = path.join(programs, 'java', 'Client.java')
const jackson = '2.17.2'

const java = (version) => ({
  title: 'Java kafka-clients',
  needs: ['java', 'javac', 'mvn'],
  codecs,
  key: `${version} ${jackson} ${readFileSync(clientSource, 'utf8')}`,
  async classPath() {
    const clients = await jarsOf('org.apache.kafka:kafka-clients', version)
    const json = await jarsOf('com.fasterxml.jackson.core:jackson-databind', jackson)
    return `${clients}/*:${json}/*`
  },
  async install(folder) {
    const from = ['-cp', await this.classPath()]
    await runProcess('javac', ['-nowarn', ...from, '-d', folder, clientSource])
  },
  async command(folder) {
    return ['java', ...jvmFlags(256), '-cp', `${folder}:${await this.classPath()}`, 'Client']
  },
})

/**
 * By name. `codecs` leaves out what a library has not, `cannotRead` says of a codec why it cannot read what others write,
 * which is checked to be so; `floors` are the lowest versions of APIs that it can work with; `key` changes when it must be installed again.
 */
export const clients = {
  kafkajs: node('kafkajs', 'kafkajs.mjs'),
  'node-rdkafka': npm('node-rdkafka', '3.6.1', 'node-rdkafka.mjs', {
    needs: ['npm', 'c++', 'python3', 'rdkafka-headers'],
    isNative: true,
  }),
  'confluent-kafka': python('confluent-kafka', 'confluent-kafka/client.py', [
    'confluent-kafka==2.16.1',
  ]),
  kcat: node('kcat', 'kcat.mjs', { needs: ['kcat'] }),
  'kafka-python-2': kafkaPython('2.0.2'),
  'kafka-python-3': kafkaPython('3.0.12'),
  'java-3': java('3.9.1'),
  'java-4': java('4.4.0'),
  'franz-go': go('franz-go', 'franz-go'),
  sarama: go('sarama', 'sarama'),
  'kafka-go': go('segmentio/kafka-go', 'kafka-go'),
  platformatic: {
    ...npm('@platformatic/kafka', '1.35.0', 'platformatic.mjs'),
    // It takes zstd from Node, which has it from version 22.15 on.
    codecs: codecs.filter((codec) => codec !== 'zstd' || 'zstd' in process.versions),
    // As its dist/apis has them, but for Metadata and Fetch: it writes into Metadata 11 a field that is gone since then,
    // and into Fetch 12 the id of a topic as its name.
    floors: { CreateTopics: 7, FindCoordinator: 4, InitProducerId: 3, Metadata: 12, Fetch: 13 },
    cannotRead: { snappy: "writes it, but reads none in xerial's frames (platformatic/kafka#282)" },
  },
}

/** Installs a client unless it is there already: its folder, and the command that starts its program for a broker. */
export const prepare = async (name) => {
  const client = clients[name]
  const { install, key } = client
  const folder =
    install === null ? '' : await installed(name, key, (empty) => client.install(empty))
  const command = await client.command(folder)
  return { folder, commandOf: (port) => [...command, `127.0.0.1:${port}`, folder] }
}
