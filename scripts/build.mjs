// Compiles src and bin to dist, which plain node runs. With --if-possible (npm's `prepare`) it is silent and succeeds
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
chmodSync(path.join(fresh, 'bin', 'bench.js'), 0o755)
writeFileSync(path.join(fresh, '.built'), '')
if (existsSync(dist)) renameSync(dist, stale)
renameSync(fresh, dist)
rmSync(stale, { recursive: true, force: true })
