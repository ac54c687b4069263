import { connect, createServer, type Socket } from 'node:net'
import { type Api, decodeResponse, encodeResponse } from '../../src/protocol/api.ts'
import { FrameSplitter } from '../../src/protocol/framing.ts'
import { decodeResponseHeader, readRequestHead } from '../../src/protocol/header.ts'
import { apis } from '../../src/protocol/messages/index.ts'
import type { Decoded, Given } from '../../src/protocol/schema.ts'
import { findAddresses } from '../../src/recorder/addresses.ts'

/** Stands in front of a broker and spoils the bytes of its answers, as brokers did that clients have met. */

const maxFrameBytes = 64 * 1024 * 1024

/** An answer without its size; given back as it goes on to the client. */
export type Alter = (frame: Buffer, apiKey: number, version: number) => Buffer

const withSize = (frame: Buffer): Buffer => {
  const size = Buffer.alloc(4)
  size.writeInt32BE(frame.length)
  return Buffer.concat([size, frame])
}

/** Clients that begin at its port stay on it; of a cluster of one broker. Answers come `delayMs` later. */
export const startAlteringProxy = async (
  upstreamPort: number,
  alter: Alter,
  delayMs = 0,
): Promise<{ port: number; close: () => Promise<void> }> => {
  const sockets = new Set<Socket>()
  let port = 0
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: upstreamPort, host: '127.0.0.1', noDelay: true })
    const asked = new Map<number, { apiKey: number; apiVersion: number }>()
    const requests = new FrameSplitter(maxFrameBytes)
    const answers = new FrameSplitter(maxFrameBytes)
    client.on('data', (chunk: Buffer) => {
      for (const frame of requests.push(chunk)) {
        const { correlationId, apiKey, apiVersion } = readRequestHead(frame)
        asked.set(correlationId, { apiKey, apiVersion })
      }
      upstream.write(chunk)
    })
    upstream.on('data', (chunk: Buffer) => {
      for (const frame of answers.push(chunk)) {
        const { apiKey, apiVersion } = asked.get(frame.readInt32BE()) ?? {
          apiKey: -1,
          apiVersion: 0,
        }
        const found = findAddresses(apiKey, apiVersion, frame)
        const own = found?.replace(found.addresses.map(() => ({ host: '127.0.0.1', port })))
        const answer = withSize(alter(own ?? frame, apiKey, apiVersion))
        if (delayMs === 0) client.write(answer)
        else setTimeout(() => client.write(answer), delayMs)
      }
    })
    for (const [socket, twin] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        twin.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as { port: number }).port
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

/** Encodes the answers of one API anew, as another value or as another version. */
const altering =
  <A extends Api>(
    one: A,
    change: (response: Decoded<A['response']>, version: number) => Given<A['response']>,
    { onlyVersion, asVersion }: { onlyVersion?: number; asVersion?: number } = {},
  ): Alter =>
  (frame, apiKey, version) => {
    if (apiKey !== one.key || (onlyVersion ?? version) !== version) return frame
    const { bodyOffset } = decodeResponseHeader(one, version, frame)
    const response = change(decodeResponse(one, version, frame, bodyOffset), version)
    const body = encodeResponse(one, asVersion ?? version, response)
    return Buffer.concat([frame.subarray(0, bodyOffset), ...body])
  }

/** Each with the name of the bug. */
export const wireFaults = {
  'join-v5-no-instance-id': altering(apis.JoinGroup, (response) => response, {
    onlyVersion: 5,
    asVersion: 4,
  }),
  'offset-fetch-v8-partition-zero': altering(
    apis.OffsetFetch,
    ({ groups, ...rest }) => ({
      ...rest,
      groups: groups.map((group) => ({
        ...group,
        topics: group.topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.slice(0, 1),
        })),
      })),
    }),
    { onlyVersion: 8 },
  ),
  /** Four bytes are left of the body, where the tagged fields of the header and `throttleTimeMs` need five. */
  'offset-commit-v8-underflow': (frame, apiKey, version) =>
    apiKey === apis.OffsetCommit.key && version === 8 ? frame.subarray(0, 8) : frame,
  'sync-empty-assignment': altering(apis.SyncGroup, (response) => ({
    ...response,
    assignment: response.errorCode === 0 ? Buffer.alloc(0) : response.assignment,
  })),
} satisfies Record<string, Alter>

/** Advertises no later versions than these, by API key, so that a client uses them. */
export const cappedAt = (maxVersions: ReadonlyMap<number, number>): Alter =>
  altering(apis.ApiVersions, (response) => ({
    ...response,
    apiKeys: response.apiKeys.map((range) => ({
      ...range,
      maxVersion: Math.min(range.maxVersion, maxVersions.get(range.apiKey) ?? range.maxVersion),
    })),
  }))
