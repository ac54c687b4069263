import { Command } from 'commander'
import { historyOf } from '../compare/history.ts'
import { loadFolder } from '../compare/inputs.ts'
import { UsageError } from '../errors.ts'
import { formatHistory } from '../report/history.ts'
import { type Io, styleOn } from './io.ts'
import { parseInteger } from './values.ts'

/** `bench history`: the saved runs over time, each kind of work in each place on its own. */

const examples = `
Examples:
  bench history
  bench history nightly-results --label main --last 3`

export const historyCommand = (io: Io): Command =>
  new Command('history')
    .description('saved runs over time: the same work in the same place, and where it stepped')
    .argument('[folder]', 'where the results are', 'results')
    .option('--label <text>', 'only runs with this label')
    .option('--last <n>', 'the last so many runs of each are listed', '5')
    .option('--json', 'as JSON, without the runs themselves')
    .allowExcessArguments(false)
    .addHelpText('after', examples)
    .action((folder: string, flags: { label?: string; last: string; json?: boolean }) => {
      const last = parseInteger('last', flags.last, 0, 1_000)
      const results = loadFolder(folder).filter(
        ({ label }) => flags.label === undefined || label === flags.label,
      )
      const lines = historyOf(results)
      if (lines.length === 0) {
        const which = flags.label === undefined ? '' : ` with the label '${flags.label}'`
        throw new UsageError(`'${folder}': no completed runs${which} are there`)
      }
      if (flags.json) {
        const plain = lines.map(({ title, environment, runs, trends }) => ({
          title,
          environment,
          runIds: runs.map(({ runId }) => runId),
          trends: trends.map(({ metric, values, change }) => ({
            name: metric.name,
            unit: metric.unit,
            values,
            change,
          })),
        }))
        io.stdout.write(`${JSON.stringify(plain, null, 2)}\n`)
        return
      }
      io.stdout.write(formatHistory(lines, { last, ...styleOn(io) }))
    })
