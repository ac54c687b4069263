import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { tempFolder } from '../../test/support/temp-folder.ts'
import { BatchWriter } from './batch-writer.ts'

const open = () => {
  const clock = new ManualClock()
  const file = path.join(tempFolder(), 'x')
  const writer = new BatchWriter(file, clock, () => {})
  return { clock, writer, content: () => readFileSync(file, 'utf8') }
}

test('small parts are written together, soon', async () => {
  const { clock, writer, content } = open()
  writer.write('a')
  writer.write(Buffer.from('b'))
  clock.advance(99)
  await new Promise((resolve) => setImmediate(resolve))
  expect(content()).toBe('')
  clock.advance(1)
  await expect.poll(content).toBe('ab')
  writer.write('c')
  clock.advance(100)
  await expect.poll(content).toBe('abc')
  await writer.close()
})

test('many are written at once, and what is left when it closes', async () => {
  const { writer, content } = open()
  const part = 'x'.repeat(40_000)
  writer.write(part)
  writer.write(part)
  await expect.poll(() => content().length).toBe(80_000)
  writer.write('end')
  await writer.close()
  expect(content()).toBe(`${part}${part}end`)
})
