// kcat as a client of the matrix: a process of it for each command.
import { spawn, spawnSync } from 'node:child_process'
import { serve, server, sleep } from './serve.mjs'

const noAdmin = () => ({ na: 'kcat neither creates topics nor lists groups' })
let member
let unread = ''

const run = (args, input = '') => {
  const all = ['-b', server, '-m', '10', ...args]
  const { status, stdout, stderr } = spawnSync('kcat', all, {
    input,
    timeout: 20_000,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (status !== 0) throw new Error(`kcat ${args.join(' ')}: ${status} ${stderr}`)
  return stdout
}

const linesOf = (text) => text.split('\n').filter((line) => line !== '')

const inGroup = (group) => ['-G', group, '-q', '-X', 'auto.offset.reset=earliest']

await serve({
  versions() {
    const [, version] = /Version (\S+) /.exec(run(['-V']))
    return `${version} (librdkafka ${/librdkafka (\S+) /.exec(run(['-V']))[1]})`
  },
  produce({ topic, partition, values, codec, idempotent }) {
    const settings = ['-X', `enable.idempotence=${idempotent}`, '-X', 'linger.ms=20', '-z', codec]
    run(['-P', '-t', topic, '-p', String(partition), ...settings], `${values.join('\n')}\n`)
  },
  read: ({ topic }) => linesOf(run(['-C', '-t', topic, '-o', 'beginning', '-e', '-q'])),
  take: ({ group, topic, count }) => linesOf(run([...inGroup(group), '-c', String(count), topic])),
  join({ group, topic }) {
    member = spawn('kcat', ['-b', server, '-u', ...inGroup(group), topic], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    member.stdout.on('data', (chunk) => {
      unread += chunk
    })
  },
  async poll({ ms }) {
    await sleep(ms)
    const end = unread.lastIndexOf('\n') + 1
    const values = linesOf(unread.slice(0, end))
    unread = unread.slice(end)
    return values
  },
  leave: () =>
    new Promise((resolve) => {
      member.once('close', () => resolve())
      member.kill('SIGTERM')
    }),
  describe: ({ topic }) => JSON.parse(run(['-L', '-J', '-t', topic])).topics[0].partitions.length,
  create: noAdmin,
  delete: noAdmin,
  groups: noAdmin,
  group: noAdmin,
})
