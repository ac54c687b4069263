// Compiles src and bin to dist, which plain node runs, and makes one file of all that a broker needs: to load a hundred
// takes a broker longer than to start. Without rolldown (`npm ci --omit=dev`) it stays as compiled. With --if-possible (npm's `prepare`) it is silent and succeeds
// where the compiler is not installed, so that `npm ci --omit=dev` works.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
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

/** In its own place, so that nothing else has to know of it; names and lines stay what they are. */
const bundle = async (file) => {
  const { rolldown } = await import('rolldown')
  const made = await rolldown({ input: file, platform: 'node', external: isOthers })
  await made.write({ file, format: 'esm', codeSplitting: false })
  await made.close()
}
try {
  await bundle(path.join(fresh, 'src', 'cli', 'broker-process.js'))
} catch (error) {
  if (!isOptional) process.stderr.write(`bench: the broker stays in many files: ${error.message}\n`)
}
chmodSync(path.join(fresh, 'bin', 'bench.js'), 0o755)
writeFileSync(path.join(fresh, '.built'), '')
if (existsSync(dist)) renameSync(dist, stale)
renameSync(fresh, dist)
rmSync(stale, { recursive: true, force: true })
