/** Several scenarios, so many at a time, and what a proof asks of the two plays of one. */
import type { ScenarioResult } from '../results/scenario-result.ts'
import type { Scenario } from './load.ts'

/** One scenario with all that was played of it. */
export interface Verdict {
  readonly scenario: Scenario
  readonly clean: ScenarioResult
  /** With its defect; null unless a proof was asked for, and could be tried. */
  readonly broken: ScenarioResult | null
  readonly status: 'passed' | 'failed' | 'skipped' | 'interrupted'
  /** Why, on one line. */
  readonly text: string
}

export type Play = (scenario: Scenario, defect: string | null) => Promise<ScenarioResult>

const failedNames = ({ checks }: ScenarioResult): string[] =>
  checks.filter(({ ok }) => !ok).map(({ name }) => name)

const verdictOfClean = (scenario: Scenario, clean: ScenarioResult): Verdict => {
  const { status, reason, checks } = clean
  const failed = failedNames(clean)
  const text =
    status === 'skipped'
      ? (reason ?? '')
      : failed.length > 0
        ? `failed: ${failed.join(', ')}${reason === null ? '' : ` (${reason})`}`
        : `${checks.length} checks`
  return { scenario, clean, broken: null, status, text }
}

/** Proved: passes without the defect, and the named check fails with it. */
const verdictOfProof = (
  scenario: Scenario,
  clean: ScenarioResult,
  broken: ScenarioResult,
): Verdict => {
  const { defect } = scenario
  const failed = failedNames(broken)
  const isCaught = defect !== null && failed.includes(defect.check)
  const defectText = `with ${defect?.name}`
  const text = isCaught
    ? `${clean.checks.length} checks hold; ${defectText} ${defect.check} fails`
    : failed.length === 0
      ? `${defectText} nothing fails, ${defect?.check} should`
      : `${defectText} ${defect?.check} holds; failed: ${failed.join(', ')}`
  const status = broken.status === 'interrupted' ? 'interrupted' : isCaught ? 'passed' : 'failed'
  return { scenario, clean, broken, status, text }
}

/** Plays one scenario, twice for a proof; one without a defect, or that fails without it, only once. */
export const judgeScenario = async (
  scenario: Scenario,
  play: Play,
  isProof: boolean,
): Promise<Verdict> => {
  const clean = await play(scenario, null)
  const verdict = verdictOfClean(scenario, clean)
  if (!isProof || clean.status !== 'passed') return verdict
  if (scenario.defect === null) {
    return { ...verdict, text: `${verdict.text}; it has no defect to be proved by` }
  }
  return verdictOfProof(scenario, clean, await play(scenario, scenario.defect.name))
}

/** To be played alone: what is measured beside other plays is theirs as much as the broker's. */
export const measuresPace = ({ probe }: Scenario): boolean => probe.includes('pace')

/**
 * Works through `items`, at most `atOnce` at a time, and then one by one through those that are to be alone; results in the
 * order of the items. After the first rejection no more are begun.
 */
export const mapAtOnce = async <Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
  isAlone: (item: Item) => boolean = () => false,
): Promise<Result[]> => {
  const results: Result[] = []
  const workThrough = async (places: readonly number[], most: number): Promise<void> => {
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < places.length) {
        const place = places[next] as number
        next += 1
        try {
          results[place] = await work(items[place] as Item)
        } catch (error) {
          next = places.length
          throw error
        }
      }
    }
    const workers = Array.from({ length: Math.min(most, places.length) }, worker)
    const ends = await Promise.allSettled(workers)
    const failure = ends.find((end) => end.status === 'rejected')
    if (failure !== undefined) throw failure.reason
  }
  const comesLast = items.map(isAlone)
  const places = [...items.keys()]
  await workThrough(
    places.filter((place) => !comesLast[place]),
    atOnce,
  )
  await workThrough(
    places.filter((place) => comesLast[place]),
    1,
  )
  return results
}
