import * as fc from 'fast-check'
import type { Api } from '../../src/protocol/api.ts'
import type { AnyCodec, AnyField } from '../../src/protocol/schema.ts'

/** Values of any message table for property tests: what decoding gives in one version, absent fields at their default. */

const int = (bits: number): fc.Arbitrary<number> =>
  fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })

const bytes = fc.uint8Array({ maxLength: 24 }).map((array) => Buffer.from(array))

const primitives: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  bool: fc.boolean(),
  int8: int(8),
  int16: int(16),
  uint16: fc.nat(0xffff),
  int32: int(32),
  uint32: fc.nat(0xffff_ffff),
  int64: fc.maxSafeInteger(),
  float64: fc.double({ noNaN: true }),
  uuid: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((array) => Buffer.from(array).toString('base64url')),
  string: fc.string({ unit: 'grapheme', maxLength: 12 }),
  bytes,
  records: bytes,
}

const fieldValue = (field: AnyField, version: number): fc.Arbitrary<unknown> => {
  if (version >= field.fromVersion && version <= field.toVersion) {
    return codecValue(field.codec, version)
  }
  const isPlain = field.hasDefault && !Array.isArray(field.default)
  return fc.constant(null).map(() => (isPlain ? field.default : field.codec.zero()))
}

const plainValue = (codec: AnyCodec, version: number): fc.Arbitrary<unknown> => {
  if (codec.element !== undefined) {
    return fc.array(codecValue(codec.element, version), { maxLength: 3 })
  }
  if (codec.fields !== undefined) {
    const fields = Object.entries(codec.fields)
    return fc.record(
      Object.fromEntries(fields.map(([name, field]) => [name, fieldValue(field, version)])),
      { noNullPrototype: true },
    )
  }
  const value = primitives[codec.type]
  if (value === undefined) throw new Error(`no arbitrary for ${codec.type}`)
  return value
}

const codecValue = (codec: AnyCodec, version: number): fc.Arbitrary<unknown> => {
  const value = plainValue(codec, version)
  const isNullable = codec.nullableFrom !== null && version >= codec.nullableFrom
  return isNullable ? fc.option(value, { nil: null, freq: 4 }) : value
}

/** A value of the table in one version. */
export const arbitraryMessage = (table: AnyCodec, version: number): fc.Arbitrary<unknown> =>
  codecValue(table, version)

/** Every version that the tables of `one` can code. */
export const versionsOf = ({ minVersion, maxVersion }: Api): number[] =>
  Array.from({ length: maxVersion - minVersion + 1 }, (_, index) => minVersion + index)
