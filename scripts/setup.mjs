// Installs what is missing and builds what is out of date, so that `npm start` and `npm test` work on a fresh clone.
// Prints nothing when there is nothing to do; everything it prints goes to standard error.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

const newestMs = (entry) => {
  const stat = statSync(entry, { throwIfNoEntry: false })
  if (!stat) return 0
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(
    stat.mtimeMs,
    ...readdirSync(entry).map((name) => newestMs(path.join(entry, name))),
  )
}

const run = (what, command, args) => {
  process.stderr.write(`bench: ${what}\n`)
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (status !== 0) {
    process.stderr.write(`bench: ${what} failed: ${command} ${args.join(' ')}\n`)
    process.exit(status ?? 1)
  }
}

const lock = path.join(root, 'package-lock.json')
/** A copy of the lock that was installed from: times tell little after a checkout. */
const installedLock = path.join(root, 'node_modules', '.installed-lock.json')

const isInstalled = () => {
  if (existsSync(installedLock)) return readFileSync(lock).equals(readFileSync(installedLock))
  const marker = path.join(root, 'node_modules', '.package-lock.json')
  return existsSync(marker) && statSync(marker).mtimeMs >= newestMs(lock)
}

const install = () => {
  run('installing dependencies (once)', 'npm', ['ci', '--ignore-scripts'])
  copyFileSync(lock, installedLock)
}

const isBuilt = () => {
  const stamp = path.join(root, 'dist', '.built')
  if (!existsSync(stamp)) return false
  const sources = [
    'src',
    'bin',
    'benchmarks',
    'test/simulation',
    'test/support',
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
  ]
  return sources.every((name) => newestMs(path.join(root, name)) <= statSync(stamp).mtimeMs)
}

export const setUp = () => {
  if (!isInstalled()) install()
  if (!isBuilt()) run('building', process.execPath, [path.join(root, 'scripts', 'build.mjs')])
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) setUp()
