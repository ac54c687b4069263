import type { RunResult } from '../../results/result.ts'
import { el, type Markup } from './markup.ts'

/** The command that does a run again, as a shell reads it. */

/** As a shell reads it back. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

const has = (command: readonly string[], ...names: readonly string[]): boolean =>
  command.some((word) =>
    names.some((name) =>
      name.startsWith('--')
        ? word === name || word.startsWith(`${name}=`)
        : word.startsWith(name) && !word.startsWith('--'),
    ),
  )

/** What came from the environment, or by chance, is written out; the name of a fresh topic is not. */
const wordsOf = ({ command, target, config, runId }: RunResult): string[] => {
  const words = [...command]
  const isFresh = config.topic === '' || config.topic === `bench-${runId}`
  if (!isFresh && !has(words, '-t', '--topic', '--config')) words.push('--topic', config.topic)
  if (target.kind === 'external' && !has(words, '-b', '--bootstrap-servers', '--config')) {
    words.push('--bootstrap-servers', target.bootstrapServers)
  }
  const seed = config['seed']
  const isSending = config.mode === 'produce' || config.mode === 'round-trip'
  if (isSending && typeof seed === 'number' && !has(words, '--seed', '--config')) {
    words.push('--seed', `${seed}`)
  }
  return ['bench', ...words].map(quoted)
}

/** In one line, to be typed. */
export const reproduceCommand = (result: RunResult): string => wordsOf(result).join(' ')

/** The same on a page, where a line ends between two words only. */
export const reproduceBlock = (result: RunResult): Markup =>
  el(
    'pre',
    {},
    el(
      'code',
      {},
      ...wordsOf(result).flatMap((word, index) => [
        index === 0 ? null : ' ',
        el('span', { class: 'arg' }, word),
      ]),
    ),
  )
