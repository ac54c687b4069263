// Installs what members of scenarios in other languages need: node adapters/install.mjs [name…], by default all of them.
// Into BENCH_ADAPTERS, else .cache/adapters; src/scenario/member-clients.ts looks there. docs/ADAPTERS.md tells more.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const here = path.dirname(fileURLToPath(import.meta.url))
const inPackage = path.join(here, '..', '.cache', 'adapters')
const cache = path.resolve(process.env.BENCH_ADAPTERS || inPackage)
const java = path.join(here, 'java')

const run = (command, ...args) => {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2], timeout: 600_000 })
  if (error !== undefined) throw new Error(`${command}: ${error.message}`)
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: exit code ${status}`)
}

const python =
  (...packages) =>
  (folder) => {
    run('python3', '-m', 'venv', '--clear', folder)
    const pip = path.join(folder, 'bin', 'pip')
    run(pip, 'install', '--quiet', '--disable-pip-version-check', ...packages)
  }

const kafkaPython = (version) =>
  python(`kafka-python==${version}`, 'lz4==4.4.5', 'python-snappy==0.7.3', 'zstandard==0.25.0')

const installers = {
  'kafka-python': kafkaPython('3.0.12'),
  'kafka-python-2': kafkaPython('2.0.2'),
  'librdkafka-python': python('confluent-kafka==2.16.1'),
  java(folder) {
    const jars = path.join(folder, 'jars')
    const copy = ['dependency:copy-dependencies', `-DoutputDirectory=${jars}`]
    run('mvn', '--batch-mode', '--quiet', '--file', path.join(java, 'pom.xml'), ...copy)
    run('javac', '-cp', `${jars}/*`, '-d', folder, path.join(java, 'Member.java'))
  },
}

const wanted = process.argv.slice(2)
const unknown = wanted.find((name) => !Object.hasOwn(installers, name))
if (unknown !== undefined) {
  console.error(`adapters: '${unknown}' is not known; ${Object.keys(installers).join(', ')} are`)
  process.exit(2)
}
for (const name of wanted.length > 0 ? wanted : Object.keys(installers)) {
  const folder = path.join(cache, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  try {
    installers[name](folder)
    console.log(`${name}: installed in ${folder}`)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    console.error(`${name}: ${error.message}`)
    process.exitCode = 1
  }
}
