import { expect, test } from 'vitest'
import { AnswerStream } from './answer-stream.ts'

const frameOf = (correlationId: number, text: string): Buffer => {
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + text.length)
  head.writeInt32BE(correlationId, 4)
  return Buffer.concat([head, Buffer.from(text)])
}

/** Answers with an even correlation id are held and come out with `!` in place of their text. */
const run = async (chunks: readonly Buffer[], isLate: boolean): Promise<Buffer[]> => {
  const sent: Buffer[] = []
  const stream = new AnswerStream({
    mustHold: (correlationId) => correlationId % 2 === 0,
    replace: (frame) => {
      const changed = Buffer.concat([frame.subarray(0, 4), Buffer.from('!')])
      return isLate ? Promise.resolve(changed) : changed
    },
    send: (bytes) => void sent.push(Buffer.from(bytes)),
  })
  for (const chunk of chunks) await stream.push(chunk)
  return sent
}

const given = Buffer.concat([
  frameOf(1, 'first'),
  frameOf(2, 'second'),
  frameOf(3, ''),
  frameOf(4, ''),
  frameOf(5, 'fifth'),
  frameOf(7, 'seventh'),
])
const due = Buffer.concat([
  frameOf(1, 'first'),
  frameOf(2, '!'),
  frameOf(3, ''),
  frameOf(4, '!'),
  frameOf(5, 'fifth'),
  frameOf(7, 'seventh'),
])

test.each([true, false])('whatever the cut, only held frames change (late: %s)', async (isLate) => {
  for (let size = 1; size <= given.length; size++) {
    const chunks = Array.from({ length: Math.ceil(given.length / size) }, (_, i) =>
      given.subarray(i * size, (i + 1) * size),
    )
    const sent = await run(chunks, isLate)
    expect(Buffer.concat(sent).toString('hex'), `chunks of ${size}`).toBe(due.toString('hex'))
  }
})

test('frames that pass go out in one piece, and before they are whole', async () => {
  const passing = Buffer.concat([frameOf(1, 'first'), frameOf(3, 'third'), frameOf(5, 'x')])
  expect(await run([passing], false)).toEqual([passing])
  expect(await run([passing.subarray(0, 10)], false)).toEqual([passing.subarray(0, 10)])
})
