import { connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { receiveFrom } from './accepted-socket.ts'

test('reads into the buffer it is given, and the server knows when it has gone', async () => {
  const buffer = Buffer.alloc(8)
  let seen = ''
  const sockets: { accepted: Socket; socket: Socket }[] = []
  const server = createServer({ pauseOnConnect: true }, (accepted) => {
    const socket = receiveFrom(accepted, {
      room: () => buffer,
      onBytes: (count) => {
        seen += buffer.toString('latin1', 0, count)
        if (seen.length === 26) socket.end('seen')
      },
    })
    sockets.push({ accepted, socket })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const client = connect(port, '127.0.0.1')
  client.write('abcdefghijklmnopqrstuvwxyz')
  const answer = await new Promise((resolve) => client.on('data', resolve))
  expect([seen, String(answer)]).toEqual(['abcdefghijklmnopqrstuvwxyz', 'seen'])
  expect(sockets[0]?.socket).not.toBe(sockets[0]?.accepted)
  expect(sockets[0]?.socket.remoteAddress).toBe('127.0.0.1')
  client.end()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  expect(sockets[0]?.accepted.destroyed).toBe(true)
})
