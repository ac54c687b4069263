import { expect, test } from 'vitest'
import { encodeResponseFrame } from '../protocol/header.ts'
import { apis } from '../protocol/messages/index.ts'
import { AddressRewriter } from './address-rewriter.ts'
import { type Address, findAddresses } from './addresses.ts'

const coordinatorAt = (port: number, correlationId: number): Buffer =>
  Buffer.concat(
    encodeResponseFrame(apis.FindCoordinator, 2, correlationId, {
      nodeId: 1,
      host: 'far.example',
      port,
    }),
  ).subarray(4)

const rewriterOf = (findPort: (node: Address) => number | Promise<number>) => {
  const rewriter = new AddressRewriter({ localHost: '127.0.0.1', findPort })
  return async (port: number, correlationId: number) => {
    const { frame, keptBecause } = await rewriter.rewrite(
      apis.FindCoordinator.key,
      2,
      coordinatorAt(port, correlationId),
    )
    const addresses = findAddresses(apis.FindCoordinator.key, 2, frame)?.addresses
    return { correlationId: frame.readInt32BE(), addresses, keptBecause }
  }
}

test('an answer that repeats itself is known again, with its own correlation id', async () => {
  const asked: number[] = []
  const rewrite = rewriterOf(({ port }) => {
    asked.push(port)
    return port + 1
  })
  const here = (port: number) => [{ host: '127.0.0.1', port }]
  const none = { keptBecause: null }
  expect(await rewrite(10, 7)).toEqual({ correlationId: 7, addresses: here(11), ...none })
  expect(await rewrite(10, 8)).toEqual({ correlationId: 8, addresses: here(11), ...none })
  expect(asked).toEqual([10])
  expect(await rewrite(20, 9)).toEqual({ correlationId: 9, addresses: here(21), ...none })
  expect(asked).toEqual([10, 20])
})

test('a port that has to be opened is waited for, and one that cannot be is told each time', async () => {
  const rewrite = rewriterOf(({ port }) =>
    port === 1 ? Promise.reject(new Error('no port')) : Promise.resolve(5),
  )
  expect((await rewrite(2, 1)).addresses).toEqual([{ host: '127.0.0.1', port: 5 }])
  for (const correlationId of [1, 2]) {
    expect(await rewrite(1, correlationId)).toMatchObject({
      addresses: [{ host: 'far.example', port: 1 }],
      keptBecause: 'no port',
    })
  }
})
