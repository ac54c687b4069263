// Compiles src and bin to dist, which plain node runs, and makes one file of all that a broker needs, and of what a
// scenario's member does: to load a hundred takes longer than to start. Without rolldown (`npm ci --omit=dev`) it stays as
// compiled. With --if-possible (npm's `prepare`) it is silent and succeeds where the compiler is not installed, so that
// `npm ci --omit=dev` works.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const isOptional = process.argv.includes('--if-possible')

if (!existsSync(compiler)) {
  if (isOptional) process.exit(0)
  process.stderr.write('bench: the TypeScript compiler is not installed; run `npm ci` first\n')
  process.exit(1)
}
// Built beside and swapped in by rename, so that a bench that runs meanwhile never misses a file.
const dist = path.join(root, 'dist')
const [fresh, stale] = [`${dist}.new-${process.pid}`, `${dist}.old-${process.pid}`]
const project = path.join(root, 'tsconfig.build.json')
const args = [compiler, '-p', project, '--outDir', fresh]
const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] })
if (status !== 0) {
  rmSync(fresh, { recursive: true, force: true })
  process.exit(status ?? 1)
}
const isOthers = (id) => !id.startsWith('.') && !path.isAbsolute(id)
const isOthersThanKafkajs = (id) =>
  isOthers(id) && id !== 'kafkajs' && !id.startsWith('kafkajs/src/')
const cli = path.join(fresh, 'src', 'cli')
const scenario = path.join(fresh, 'src', 'scenario')
const bin = path.join(fresh, 'bin')

/** The code of one CommonJS file that does as the module `file` and all that it imports, but for `others`. */
const bundle = async (file, { isExternal = isOthers, others = [] } = {}) => {
  const { rolldown } = await import('rolldown')
  const external = (id, _importer, isResolved) =>
    isExternal(id) || (isResolved && others.includes(id))
  const made = await rolldown({ input: file, platform: 'node', external })
  const { output } = await made.generate({ file, format: 'cjs', codeSplitting: false })
  await made.close()
  return output[0].code
}

/** Of Node.js, and needed late or never: each is loaded where it is called. */
const loadedLate = ['crypto', 'zlib', 'child_process']

const loadLate = (code, name) =>
  code
    .replace(`let node_${name} = require("node:${name}");\n`, '')
    .replaceAll(`node_${name}.`, `require("node:${name}").`)

/** As src/cached-script.ts takes it. */
const writeScript = (file, code) => {
  const body = code.replaceAll(/\bimport\(/g, 'importModule(')
  const text = `(function (exports, require, __filename, importModule) {${body}\n})`
  const mark = createHash('sha256').update(text).digest('hex').slice(0, 32)
  writeFileSync(file, `${text}\n//${mark}`)
}

const writeBroker = async () => {
  const code = loadedLate.reduce(loadLate, await bundle(path.join(cli, 'broker-process.js')))
  writeScript(path.join(cli, 'broker-process.cjs'), code)
}

/** With kafkajs in it, the client of nearly every member, which is itself many files. */
const writeMember = async () => {
  const file = path.join(scenario, 'member-life.js')
  const code = await bundle(file, { isExternal: isOthersThanKafkajs })
  const license = readFileSync(path.join(root, 'node_modules', 'kafkajs', 'LICENSE'), 'utf8')
  const text = `/* kafkajs, which this contains:\n${license}*/\n${code}`
  writeScript(path.join(scenario, 'member-life.cjs'), text)
}

/** The entry as CommonJS: before its first line Node.js does less for that than for a module. */
const writeEntry = async () => {
  const file = path.join(bin, 'bench.js')
  const others = ['program.js', 'broker-process.js'].map((name) => path.join(cli, name))
  writeFileSync(file, await bundle(file, { others }))
  writeFileSync(path.join(bin, 'package.json'), '{ "type": "commonjs" }\n')
}

const isKept = () => readdirSync(cli).some((name) => name.endsWith('.cache'))

/** One start, as far as the first answer, so that the next ones need not compile. */
const warmUp = async () => {
  const command = [path.join(bin, 'bench.js'), 'broker', '--port', '0', '--data-dir', 'memory']
  const broker = spawn(process.execPath, command, { stdio: ['ignore', 'ignore', 'pipe'] })
  const apiVersions = Buffer.from('0000000a0012000000000001ffff', 'hex')
  broker.stderr.on('data', (text) => {
    const port = /127\.0\.0\.1:(\d+)/.exec(text)?.[1]
    if (port)
      connect(port, '127.0.0.1')
        .on('error', () => {})
        .end(apiVersions)
  })
  for (let tries = 0; tries < 200 && broker.exitCode === null && !isKept(); tries++) {
    await setTimeout(50)
  }
  broker.kill()
}

try {
  await writeBroker()
  await writeMember()
  await writeEntry()
  await warmUp()
} catch (error) {
  if (!isOptional)
    process.stderr.write(`bench: broker and members stay in many files: ${error.message}\n`)
}
chmodSync(path.join(fresh, 'bin', 'bench.js'), 0o755)
writeFileSync(path.join(fresh, '.built'), '')
if (existsSync(dist)) renameSync(dist, stale)
renameSync(fresh, dist)
rmSync(stale, { recursive: true, force: true })
