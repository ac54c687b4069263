// Holds the project against software that nobody here wrote: `node test/conformance/run.mjs [part…]`, by default all parts.
// Each file of parts/ exports one part by default: { name, needs, run }.
//   name   what it is called on the command line
//   needs  commands that must be on the PATH (see toolchains.mjs); the part is skipped in one line when one is missing
//   run    async ({ report, updateGolden, retry }) => void; an exception counts as one failed check
//   triesAgain  true when it heeds `retry` itself; else all of it is run again when a check failed
// `report` has pass(check), fail(check, why) and skip(check, why); a check is named in a few words.
// Processes are started with startProcess of processes.mjs, which ends them whatever happens to the run.
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { endProcesses } from './processes.mjs'
import { missingToolchain } from './toolchains.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))

const flags = ['--update-golden', '--retry']

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

/** Runs a part into the counts: `{ passed, failed, skipped }` of it alone. */
const countPart = async (part, options) => {
  const before = { ...counts }
  try {
    await part.run({ report: reportOf(part), ...options })
  } catch (error) {
    reportOf(part).fail('ran to its end', error?.stack ?? error)
  } finally {
    await endProcesses()
  }
  return { passed: counts.passed - before.passed, failed: counts.failed - before.failed, before }
}

const runPart = async (part, options) => {
  const missing = missingToolchain(part.needs)
  if (missing !== null) {
    reportOf(part).skip('all', missing)
    return
  }
  const startedMs = performance.now()
  let { passed, failed, before } = await countPart(part, options)
  if (failed > 0 && options.retry && !part.triesAgain) {
    console.log(`${part.name}: ${failed} failed; all of it once more, and only that counts`)
    Object.assign(counts, before)
    ;({ passed, failed } = await countPart(part, options))
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  console.log(`${part.name}: ${passed} passed, ${failed} failed in ${seconds} s`)
}

const main = async () => {
  const args = process.argv.slice(2)
  const wanted = args.filter((arg) => !arg.startsWith('--'))
  const unknownFlag = args.find((arg) => arg.startsWith('--') && !flags.includes(arg))
  const parts = await loadParts()
  const names = parts.map((part) => part.name)
  const unknown = unknownFlag ?? wanted.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    console.error(
      `conformance: '${unknown}' is not known; parts are ${names.join(', ')}; flags ${flags.join(', ')}`,
    )
    process.exitCode = 2
    return
  }
  const options = {
    updateGolden: args.includes('--update-golden'),
    retry: args.includes('--retry'),
  }
  for (const part of parts) {
    if (wanted.length === 0 || wanted.includes(part.name)) await runPart(part, options)
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  process.exitCode = counts.failed > 0 ? 1 : 0
}

await main()
