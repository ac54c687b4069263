// `npm start -- [options]`: sets up what is missing, then runs bench with the options in the user's own folder.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { root, setUp } from './setup.mjs'

setUp()
const bin = path.join(root, 'dist', 'bin', 'bench.js')
const child = spawn(process.execPath, [bin, ...process.argv.slice(2)], {
  stdio: 'inherit',
  cwd: process.env.INIT_CWD ?? process.cwd(),
})
// The terminal sends Ctrl-C to the whole group; the child decides when to end, and its code is ours.
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => signal === 'SIGTERM' && child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)))
