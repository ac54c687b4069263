import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runProgram } from './program.ts'

/** Only wishes that are refused before anything starts. */
const refusal = async (...args: string[]): Promise<{ code: number; stderr: string }> => {
  let stderr = ''
  const stream = { write: (text: string) => ((stderr += text), true) }
  const io = {
    stdout: stream as unknown as NodeJS.WritableStream,
    stderr: stream as unknown as NodeJS.WritableStream,
    isStdoutTty: false,
    isStderrTty: false,
    columns: null,
  }
  const code = await runProgram(args, io)
  return { code, stderr }
}

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'bench-program-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
  delete process.env['CHRONIK_CONSUMER_GROUP_JOIN_TIMEOUT_MS']
})

describe('bad input', () => {
  it.each([
    [['--topc', 'x'], '--topc', '--topic'],
    [['-X', 'no.such=1'], '-X:', 'no.such'],
    [['-X', 'nothing'], "-X 'nothing'", 'name=value'],
    [['--broker-config', 'no.such=1'], '--broker-config:', 'no.such'],
    [['broker', '-X', 'no.such=1'], '-X:', 'no.such'],
    [['--tls'], '--tls', '--bootstrap-servers'],
    [['--sasl-username', 'u', '-b', 'h:1'], '--sasl-username', '--sasl is missing'],
    [['--sasl-password-file', 'f', '-b', 'h:1'], '--sasl-password-file', '--sasl is missing'],
  ])('%j is one line that names the option and what is allowed', async (args, option, allowed) => {
    const { code, stderr } = await refusal(...args)
    expect(code).toBe(2)
    expect(stderr.split('\n')).toHaveLength(2)
    expect(stderr).toContain(option)
    expect(stderr).toContain(allowed)
  })

  it('in the alias of a broker setting names the variable', async () => {
    process.env['CHRONIK_CONSUMER_GROUP_JOIN_TIMEOUT_MS'] = 'soon'
    const { code, stderr } = await refusal('--mode', 'consume')
    expect(code).toBe(2)
    expect(stderr).toContain('CHRONIK_CONSUMER_GROUP_JOIN_TIMEOUT_MS=soon')
  })
})

describe('--config', () => {
  it.each([
    ['{"no-such": 1}', 'no-such'],
    ['{"messageCount": 1}', 'messageCount'],
    ['{"config": "other.json"}', 'config is no option'],
    ['{"topic": {}}', 'topic is {}'],
  ])('with %s names the file and the field', async (text, field) => {
    const file = path.join(folder, 'options.json')
    writeFileSync(file, text)
    const { code, stderr } = await refusal('--config', file)
    expect(code).toBe(2)
    expect(stderr).toContain(file)
    expect(stderr).toContain(field)
  })

  it('belongs to a run only', async () => {
    const { code, stderr } = await refusal('report', '--config', 'none.json')
    expect(code).toBe(2)
    expect(stderr).toContain("unknown option '--config'")
  })
})
