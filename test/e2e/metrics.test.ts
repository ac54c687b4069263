import { createServer } from 'node:net'
import { afterAll, expect, it } from 'vitest'
import { bench, makeFolder, pause, start } from './bin.ts'

/** A page for Prometheus while a run goes on. */

const { folder, remove } = makeFolder()
afterAll(remove)

const valueOf = (page: string, name: string): number =>
  Number(new RegExp(`^chronik_bench_${name} (\\S+)$`, 'm').exec(page)?.[1])

it('serves what the run does, on loopback, until it ends', async () => {
  const args = ['--prometheus-port', '0', '--data-dir', 'memory', '--rate', '200', '-w', '1s']
  const running = start(folder, [...args, '-d', '60s', '--no-save'])
  let url = ''
  let page = ''
  for (let tries = 0; tries < 600 && !(valueOf(page, 'messages_sent_total') > 0); tries += 1) {
    await pause(100)
    url = /^metrics on (http:\/\/127\.0\.0\.1:\d+\/metrics)$/m.exec(running.stderr())?.[1] ?? ''
    if (url !== '') page = await (await fetch(url)).text()
  }
  expect(valueOf(page, 'bytes_sent_total')).toBe(valueOf(page, 'messages_sent_total') * 1_024)
  expect(valueOf(page, 'throughput_msg_per_sec')).toBeGreaterThan(0)
  expect(valueOf(page, 'latency_p999_microseconds')).toBeGreaterThan(0)
  expect((await fetch(url.replace('/metrics', '/'))).status).toBe(404)
  expect((await fetch(url, { method: 'POST' })).status).toBe(405)
  running.child.kill('SIGINT')
  expect((await running.ended).code).toBe(130)
  await expect(fetch(url)).rejects.toThrow()
})

it('ends with 3 before anything starts when the port is taken', async () => {
  const blocker = createServer()
  await new Promise<void>((resolve) => {
    blocker.listen(0, '127.0.0.1', resolve)
  })
  const { port } = blocker.address() as { port: number }
  const { code, stderr } = await bench(folder, '--prometheus-port', `${port}`, '-d', '1s')
  blocker.close()
  expect([code, stderr]).toEqual([
    3,
    `bench: --prometheus-port ${port}: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`,
  ])
})
