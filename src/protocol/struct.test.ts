import { describe, expect, expectTypeOf, it } from 'vitest'
import {
  array,
  bool,
  bytes,
  type Codec,
  type Decoded,
  float64,
  type Given,
  int8,
  int16,
  int32,
  nullable,
  nullableArray,
  nullableBytes,
  nullableSince,
  nullableString,
  records,
  string,
  uint16,
  uint32,
  uuid,
  zeroUuid,
} from './schema.ts'
import { between, since, struct, tagged, withDefault } from './struct.ts'
import { Reader, WireError, Writer } from './wire.ts'

/** Hexadecimal with spaces where a reader wants them. */
const packed = (text: string): string => text.replaceAll(' ', '')

const hexOf = <In>(codec: Codec<unknown, In>, version: number, isFlexible: boolean, value: In) => {
  const writer = new Writer()
  codec.compile({ version, isFlexible }).write(writer, value)
  return Buffer.concat(writer.finish()).toString('hex')
}

const valueOf = <Out>(
  codec: Codec<Out, never>,
  version: number,
  isFlexible: boolean,
  hex: string,
) => codec.compile({ version, isFlexible }).read(new Reader(Buffer.from(hex, 'hex')))

const failure = (run: () => unknown): WireError => {
  try {
    run()
  } catch (error) {
    if (error instanceof WireError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('lengths', () => {
  it.each<[string, Codec<unknown, never>, boolean, unknown, string]>([
    ['string', string, false, 'ab', '00026162'],
    ['compact string', string, true, 'ab', '036162'],
    ['null string', nullableString, false, null, 'ffff'],
    ['null compact string', nullableString, true, null, '00'],
    ['bytes', bytes, false, Buffer.from('ab'), '000000026162'],
    ['compact bytes', bytes, true, Buffer.from('ab'), '036162'],
    ['null bytes', nullableBytes, false, null, 'ffffffff'],
    ['array', array(int16), false, [1, 2], '0000000200010002'],
    ['compact array', array(int16), true, [1, 2], '0300010002'],
    ['null array', nullableArray(int16), false, null, 'ffffffff'],
    ['null compact array', nullableArray(int16), true, null, '00'],
    ['null records', records, false, null, 'ffffffff'],
    ['compact records', records, true, Buffer.from('ab'), '036162'],
    ['uuid', uuid, true, zeroUuid, '00'.repeat(16)],
    [
      'numbers',
      struct({ a: uint16, b: uint32, c: float64, d: int8 }),
      false,
      { a: 1, b: 2, c: -0.5, d: -1 },
      '000100000002bfe0000000000000ff',
    ],
  ])('codes %s', (_name, codec, isFlexible, value, hex) => {
    expect(hexOf(codec as Codec<unknown, unknown>, 0, isFlexible, value)).toBe(hex)
    expect(valueOf(codec, 0, isFlexible, hex)).toEqual(value)
  })

  it('takes any negative length of a nullable as null, as Kafka does', () => {
    expect(valueOf(nullableArray(int16), 0, false, 'fffffffb')).toBeNull()
    expect(valueOf(nullableString, 0, false, 'fffe')).toBeNull()
    expect(valueOf(records, 0, false, 'fffffffe')).toBeNull()
  })

  it('refuses null where none may be', () => {
    expect(() => valueOf(string, 0, false, 'ffff')).toThrow('null where string is due at byte 0')
    expect(() => valueOf(array(int16), 0, true, '00')).toThrow('null where array is due at byte 0')
  })

  it('checks a count against the bytes that are left before it makes anything', () => {
    expect(() => valueOf(array(int32), 0, false, '7fffffff00000000')).toThrow(
      '2147483647 elements in 4 bytes at byte 4',
    )
    expect(() => valueOf(array(string), 0, true, 'ffffffff0f00')).toThrow('elements in 1 bytes')
    expect(() => valueOf(bytes, 0, false, '7fffffff00')).toThrow('bytes missing')
  })

  it('puts several record buffers in a row without copying them', () => {
    const parts = [Buffer.alloc(3, 1), Buffer.alloc(2, 2)]
    const writer = new Writer()
    records.compile({ version: 0, isFlexible: false }).write(writer, parts)
    expect(writer.finish().slice(1)).toEqual(parts)
    expect(writer.finish()[1]).toBe(parts[0])
  })
})

describe('fields', () => {
  const table = struct({
    always: int8,
    early: between(0, 1, int8, 7),
    late: since(2, nullableString, null),
    needed: since(2, int8),
    name: nullableSince(1, string),
    made: withDefault(bool, true),
  })

  it('are there in their versions and have their default in the others', () => {
    const given = { always: 1, early: 2, needed: 3, name: 'n' }
    expect(hexOf(table, 0, false, given)).toBe('010200016e01')
    expect(hexOf(table, 2, false, given)).toBe('01ffff0300016e01')
    expect(valueOf(table, 0, false, '010200016e01')).toEqual({
      always: 1,
      early: 2,
      late: null,
      needed: 0,
      name: 'n',
      made: true,
    })
    expect(valueOf(table, 2, false, '01ffff0300016e00')).toMatchObject({ early: 7, made: false })
  })

  it('may be null from a version on, and not before', () => {
    const given = { always: 1, needed: 1, name: null }
    expect(hexOf(table, 1, false, given)).toBe('0107ffff01')
    const error = failure(() => hexOf(table, 0, false, given))
    expect(error.path).toBe('name')
    expect(error.reason).toBe('null before version 1')
    expect(() => valueOf(table, 0, false, '0107ffff01')).toThrow(WireError)
  })

  it('must be given when they have no default', () => {
    const error = failure(() => hexOf(table, 2, false, { always: 1, name: 'n' } as never))
    expect(error.path).toBe('needed')
  })

  it('have types that follow from the table', () => {
    expectTypeOf<Decoded<typeof table>>().toEqualTypeOf<{
      readonly always: number
      readonly early: number
      readonly late: string | null
      readonly needed: number
      readonly name: string | null
      readonly made: boolean
    }>()
    expectTypeOf<{ always: number; needed: number; name: null }>().toExtend<Given<typeof table>>()
    expectTypeOf<{ always: number; needed: number }>().not.toExtend<Given<typeof table>>()
  })

  it('give a new default array each time', () => {
    const one = struct({ list: since(1, array(int8), []) })
    const first = valueOf(one, 0, false, '')
    first.list.push(1)
    expect(valueOf(one, 0, false, '').list).toEqual([])
  })

  it('name their path through arrays and structs', () => {
    const nested = struct({ outer: array(struct({ inner: array(struct({ text: string })) })) })
    const hex = packed('00000001 00000002 000161 0005616263')
    const error = failure(() => valueOf(nested, 0, false, hex)).named('Nested v0 request')
    expect(error.path).toBe('outer[0].inner[1].text')
    expect(error.message).toBe(
      'Nested v0 request: outer[0].inner[1].text: 2 bytes missing at byte 13',
    )
  })
})

describe('tagged fields', () => {
  const inner = struct({ id: withDefault(int32, -1) })
  const table = struct({
    second: tagged(3, 1, inner),
    plain: int8,
    first: tagged(0, 1, nullableString, null),
  })

  it('are written in ascending order of their tags, after the plain fields', () => {
    expect(hexOf(table, 1, true, { second: { id: 5 }, plain: 1, first: 'a' })).toBe(
      packed('01 02 00020261 0305 00000005 00'),
    )
  })

  it('are left out when they have their default', () => {
    expect(hexOf(table, 1, true, { plain: 1 })).toBe('0100')
    expect(hexOf(table, 1, true, { plain: 1, first: null, second: { id: -1 } })).toBe('0100')
  })

  it('have their default when they are absent or the version has none', () => {
    const expected = { plain: 1, first: null, second: { id: -1 } }
    expect(valueOf(table, 1, true, '0100')).toEqual(expected)
    expect(valueOf(table, 0, false, '01')).toEqual(expected)
  })

  it('are skipped when unknown', () => {
    const hex = packed('01 03 00020261 0103aabbcc 3900')
    expect(valueOf(table, 1, true, hex)).toEqual({ plain: 1, first: 'a', second: { id: -1 } })
  })

  it.each([
    ['not ascending', packed('01 02 00020261 00020261')],
    ['longer than what is left', packed('01 01 0005 0261')],
    ['longer than their field', packed('01 01 0003 026100')],
    ['shorter than their field', packed('01 01 0001 0261')],
    ['more than there are', packed('01 ffffffff0f')],
    ['unknown and too long', packed('01 01 09ffffffff0f')],
  ])('are refused when %s', (_name, hex) => {
    expect(() => valueOf(table, 1, true, hex)).toThrow(WireError)
  })
})

it('puts an int8 in front of a struct that may be null', () => {
  const one = nullable(struct({ id: int16 }))
  expect(hexOf(one, 0, false, null)).toBe('ff')
  expect(hexOf(one, 0, true, { id: 2 })).toBe('01000200')
  expect(valueOf(one, 0, false, 'ff')).toBeNull()
  expect(valueOf(one, 0, true, '01000200')).toEqual({ id: 2 })
})
