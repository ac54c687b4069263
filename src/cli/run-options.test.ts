import { Command } from 'commander'
import { expect, it } from 'vitest'
import type { RunOptions } from '../bench/options.ts'
import { addRunFlags, type RawFlags } from './run-flags.ts'
import { parseRunOptions, unusedFlags } from './run-options.ts'

const optionsOf = (args: readonly string[], env: NodeJS.ProcessEnv = {}): RunOptions => {
  const flags = addRunFlags(new Command()).parse(args, { from: 'user' })
  return parseRunOptions(flags.opts<RawFlags>(), env)
}

it('asks for a broker setting by its alias in the environment, but not of an external broker', () => {
  const env = { CHRONIK_CONSUMER_GROUP_JOIN_TIMEOUT_MS: '250' }
  expect(optionsOf([], env).brokerConfig).toEqual(env)
  expect(optionsOf(['-b', 'h:1'], env).brokerConfig).toEqual({})
})

it.each([
  ['metadata', null, ['rate', 'acks', 'consumers'], ['acks', 'consumers']],
  ['consume', null, ['acks', 'messageSize', 'rate', 'validate'], ['rate', 'validate']],
  ['consume', 't', ['acks', 'messageSize', 'from'], ['acks', 'messageSize']],
  ['produce', 't', ['disableAutoCommit', 'rate'], ['disableAutoCommit']],
  ['round-trip', 't', ['validate', 'acks'], ['validate']],
] as const)('in %s (topic %s) of %j only %j have no effect', (mode, topic, given, unused) => {
  expect(unusedFlags({ mode, topic }, given)).toEqual(unused)
})
