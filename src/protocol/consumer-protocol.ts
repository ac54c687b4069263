import {
  array,
  type Codec,
  type Decoded,
  type Given,
  int32,
  nullableBytes,
  nullableString,
  string,
} from './schema.ts'
import { since, struct, withDefault } from './struct.ts'
import { Reader, WireError, Writer } from './wire.ts'

/**
 * The consumer protocol: what members of a group of type `consumer` put into the opaque bytes of JoinGroup and SyncGroup.
 * A leading int16 gives the version; the form is never flexible.
 *
 * Version 1 adds owned partitions (KIP-429), version 2 the generation (KIP-792), version 3 the rack (KIP-881).
 */

const topicPartitions = struct({ topic: string, partitions: array(int32) })

export const subscription = struct({
  topics: array(string),
  userData: withDefault(nullableBytes, null),
  ownedPartitions: since(1, array(topicPartitions), []),
  generationId: since(2, int32, -1),
  rackId: since(3, nullableString, null),
})

/** The same in all versions. */
export const assignment = struct({
  assignedPartitions: array(topicPartitions),
  userData: withDefault(nullableBytes, null),
})

export type Subscription = Decoded<typeof subscription>
export type Assignment = Decoded<typeof assignment>

export const maxConsumerProtocolVersion = 3

const encode = <In>(codec: Codec<unknown, In>, version: number, value: In): Buffer => {
  const writer = new Writer()
  writer.int16(version)
  codec.compile({ version, isFlexible: false }).write(writer, value)
  return Buffer.concat(writer.finish())
}

const decode = <Out, In>(
  name: string,
  codec: Codec<Out, In>,
  blob: Buffer,
): { version: number; value: Out } => {
  const reader = new Reader(blob)
  try {
    const version = reader.int16()
    if (version < 0) throw new WireError(`version ${version}`, 0)
    const known = Math.min(version, maxConsumerProtocolVersion)
    return { version, value: codec.compile({ version: known, isFlexible: false }).read(reader) }
  } catch (error) {
    throw error instanceof WireError ? error.named(name) : error
  }
}

export const encodeSubscription = (version: number, value: Given<typeof subscription>): Buffer =>
  encode(subscription, version, value)

/** A version above ours is read as ours and what follows is ignored, as in Kafka's `ConsumerProtocol`. */
export const decodeSubscription = (blob: Buffer): { version: number; value: Subscription } =>
  decode('consumer subscription', subscription, blob)

export const encodeAssignment = (version: number, value: Given<typeof assignment>): Buffer =>
  encode(assignment, version, value)

/** Empty bytes, which a member without partitions may be given, are a `WireError`. */
export const decodeAssignment = (blob: Buffer): { version: number; value: Assignment } =>
  decode('consumer assignment', assignment, blob)
