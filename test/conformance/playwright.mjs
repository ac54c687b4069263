// Playwright without browsers of its own: it drives the Chromium of this machine.
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { installed } from './cache.mjs'
import { runProcess } from './processes.mjs'

const version = '1.65.1'

export const browserNeeds = ['npm', 'chromium']

/** The folder that has it. */
export const installPlaywright = () =>
  installed('playwright-core', version, async (cwd) => {
    writeFileSync(path.join(cwd, 'package.json'), '{ "private": true }\n')
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
    const wanted = `playwright-core@${version}`
    await runProcess('npm', ['install', '--ignore-scripts', ...quiet, wanted], { cwd })
  })

/** Where the PATH has it: playwright wants to know. */
const chromiumPath = () =>
  (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, 'chromium'))
    .find((file) => existsSync(file))

export const launchBrowser = async () => {
  const index = path.join(await installPlaywright(), 'node_modules', 'playwright-core', 'index.js')
  const { default: playwright } = await import(pathToFileURL(index))
  return playwright.chromium.launch({
    executablePath: chromiumPath(),
    // Where the run is root, as in containers, Chromium has no sandbox of its own.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  })
}
