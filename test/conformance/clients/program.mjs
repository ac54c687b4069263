// A client's program: asked by a line of JSON `{ do, with }`, it answers a line of JSON `{ ok }` or `{ error }`.
import { createInterface } from 'node:readline'
import { startProcess } from '../processes.mjs'

/** Starts it; `ask(command, given)` resolves to the answer, or to `{ na }` where the library has no such thing. */
export const startProgram = ([command, ...args]) => {
  const child = startProcess(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const waiting = []
  child.stdin.on('error', () => {})
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('{')) waiting.shift()?.(JSON.parse(line))
  })
  let hasEnded = false
  void child.ended.then(() => {
    hasEnded = true
    for (const settle of waiting.splice(0)) settle({ error: `ended: ${child.output()}` })
  })
  const ask = async (name, given = {}, timeoutMs = 60_000) => {
    const answer = await new Promise((resolve) => {
      if (hasEnded) resolve({ error: `ended: ${child.output()}` })
      setTimeout(resolve, timeoutMs, { error: `no answer in ${timeoutMs} ms` }).unref()
      waiting.push(resolve)
      child.stdin.write(`${JSON.stringify({ do: name, with: given })}\n`)
    })
    if (answer.error !== undefined) throw new Error(`${name}: ${answer.error}`)
    return answer.ok
  }
  return { ask, stop: () => child.stop(1_000) }
}
