// Holds the project against software that nobody here wrote: `node test/conformance/run.mjs [part…]`, by default all parts.
// Each file of parts/ exports one part by default: { name, needs, run }.
//   name   what it is called on the command line and in .cache/conformance/<name>, its own folder for what it installs
//   needs  commands that must be on the PATH (see toolchains.mjs); the part is skipped in one line when one is missing
//   run    async ({ cacheDir, report, updateGolden }) => void; an exception counts as one failed check
// `report` has pass(check), fail(check, why) and skip(check, why); a check is named in a few words.
// Processes are started with startProcess of processes.mjs, which ends them whatever happens to the run.
import { mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { endProcesses } from './processes.mjs'
import { missingToolchain } from './toolchains.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
const cache = path.join(here, '..', '..', '.cache', 'conformance')

const loadParts = async () => {
  const files = readdirSync(path.join(here, 'parts')).filter((name) => name.endsWith('.mjs'))
  const modules = await Promise.all(files.toSorted().map((name) => import(`./parts/${name}`)))
  return modules.map((module) => module.default)
}

const counts = { passed: 0, failed: 0, skipped: 0 }

const reportOf = (part) => ({
  pass(check) {
    counts.passed++
    if (process.env.CONFORMANCE_VERBOSE === '1') console.log(`  ok    ${part.name}: ${check}`)
  },
  fail(check, why) {
    counts.failed++
    console.log(
      `  FAIL  ${part.name}: ${check}${why ? `\n        ${String(why).replaceAll('\n', '\n        ')}` : ''}`,
    )
  },
  skip(check, why) {
    counts.skipped++
    console.log(`  skip  ${part.name}: ${check}: ${why}`)
  },
})

const runPart = async (part, options) => {
  const report = reportOf(part)
  const missing = missingToolchain(part.needs)
  if (missing !== null) {
    report.skip('all', missing)
    return
  }
  const before = { ...counts }
  const startedMs = performance.now()
  const cacheDir = path.join(cache, part.name)
  mkdirSync(cacheDir, { recursive: true })
  try {
    await part.run({ cacheDir, report, ...options })
  } catch (error) {
    report.fail('ran to its end', error?.stack ?? error)
  } finally {
    await endProcesses()
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  const [passed, failed] = [counts.passed - before.passed, counts.failed - before.failed]
  console.log(`${part.name}: ${passed} passed, ${failed} failed in ${seconds} s`)
}

const main = async () => {
  const args = process.argv.slice(2)
  const wanted = args.filter((arg) => !arg.startsWith('--'))
  const unknownFlag = args.find((arg) => arg.startsWith('--') && arg !== '--update-golden')
  const parts = await loadParts()
  const names = parts.map((part) => part.name)
  const unknown = unknownFlag ?? wanted.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    console.error(
      `conformance: '${unknown}' is not known; parts are ${names.join(', ')}; flag --update-golden`,
    )
    process.exitCode = 2
    return
  }
  const options = { updateGolden: args.includes('--update-golden') }
  for (const part of parts) {
    if (wanted.length === 0 || wanted.includes(part.name)) await runPart(part, options)
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  process.exitCode = counts.failed > 0 ? 1 : 0
}

await main()
