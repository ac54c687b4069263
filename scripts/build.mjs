// Compiles src and bin to dist, which plain node runs. With --if-possible (npm's `prepare`) it is silent and succeeds
// where the compiler is not installed, so that `npm ci --omit=dev` works.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs'
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
rmSync(path.join(root, 'dist'), { recursive: true, force: true })
const args = [compiler, '-p', path.join(root, 'tsconfig.build.json')]
const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] })
if (status !== 0) process.exit(status ?? 1)
const bin = path.join(root, 'dist', 'bin', 'bench.js')
chmodSync(bin, 0o755)
writeFileSync(path.join(root, 'dist', '.built'), '')
