import { isDeepStrictEqual } from 'node:util'
import {
  type AnyCodec,
  type AnyField,
  type Codec,
  type Field,
  type Form,
  type NullableCodec,
  placed,
  type Wire,
} from './schema.ts'
import { type Reader, WireError, Writer } from './wire.ts'

/** Structs: which fields there are in which versions, their defaults and their tags. */

type Fields = Readonly<Record<string, AnyCodec | AnyField>>

type OutOf<F> =
  F extends Field<infer Out, infer _In, boolean>
    ? Out
    : F extends Codec<infer Out, infer _In>
      ? Out
      : never
type InOf<F> =
  F extends Field<infer _Out, infer In, boolean>
    ? In
    : F extends Codec<infer _Out, infer In>
      ? In
      : never
type OptionalKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends Field<unknown, never, true> ? K : never
}[keyof F]

type StructOut<F extends Fields> = { [K in keyof F]: OutOf<F[K]> }
type StructIn<F extends Fields> = {
  [K in keyof ({ [R in Exclude<keyof F, OptionalKeys<F>>]: unknown } & {
    [O in OptionalKeys<F>]?: unknown
  })]: InOf<F[K]>
}

const field = <Out, In, IsOptional extends boolean>(
  codec: Codec<Out, In>,
  fromVersion: number,
  toVersion: number,
  hasDefault: IsOptional,
  value: Out | undefined,
  tag: number | null = null,
): Field<Out, In, IsOptional> => ({
  codec,
  fromVersion,
  toVersion,
  hasDefault,
  default: value,
  tag,
})

interface Between {
  <Out, In>(fromVersion: number, toVersion: number, codec: Codec<Out, In>): Field<Out, In, false>
  <Out, In>(
    fromVersion: number,
    toVersion: number,
    codec: Codec<Out, In>,
    value: NoInfer<Out>,
  ): Field<Out, In, true>
}
/** There from `fromVersion` to `toVersion`, both inclusive. With a default it may be left out when encoding. */
export const between: Between = <Out, In>(
  fromVersion: number,
  toVersion: number,
  codec: Codec<Out, In>,
  ...value: [] | [Out]
): Field<Out, In, never> =>
  field(codec, fromVersion, toVersion, (value.length > 0) as never, value[0])

interface Since {
  <Out, In>(fromVersion: number, codec: Codec<Out, In>): Field<Out, In, false>
  <Out, In>(fromVersion: number, codec: Codec<Out, In>, value: NoInfer<Out>): Field<Out, In, true>
}
/** There from `fromVersion` on. With a default it may be left out when encoding. */
export const since: Since = <Out, In>(
  fromVersion: number,
  codec: Codec<Out, In>,
  ...value: [] | [Out]
): Field<Out, In, never> =>
  field(codec, fromVersion, Number.POSITIVE_INFINITY, (value.length > 0) as never, value[0])

/** There in every version, and may be left out when encoding. */
export const withDefault = <Out, In>(
  codec: Codec<Out, In>,
  value: NoInfer<Out>,
): Field<Out, In, true> => field(codec, 0, Number.POSITIVE_INFINITY, true, value)

/** A tagged field from flexible version `fromVersion` on; not written when it has its default. */
export const tagged = <Out, In>(
  tag: number,
  fromVersion: number,
  codec: Codec<Out, In>,
  value: NoInfer<Out> = codec.zero(),
): Field<Out, In, true> => field(codec, fromVersion, Number.POSITIVE_INFINITY, true, value, tag)

type Values = Record<string, unknown>

interface CompiledField {
  readonly name: string
  readonly wire: Wire<unknown, unknown>
  /** What an absent value is written as; undefined when the caller must give one. */
  readonly default: unknown
}

/** Moves past tagged fields without looking at them. */
export const skipTaggedFields = (reader: Reader): void => noTaggedFields.read(reader, {})

const compileTagged = (
  fields: ReadonlyMap<number, CompiledField>,
): { read(reader: Reader, into: Values): void; write(writer: Writer, values: Values): void } => {
  const ascending = [...fields].toSorted(([a], [b]) => a - b)
  return {
    read(reader, into) {
      let count = reader.unsignedVarint()
      let lastTag = -1
      for (; count > 0; count--) {
        const start = reader.offset
        const tag = reader.unsignedVarint()
        const sizeBytes = reader.unsignedVarint()
        if (tag <= lastTag) throw new WireError(`tag ${tag} after tag ${lastTag}`, start)
        lastTag = tag
        const end = reader.offset + sizeBytes
        const known = fields.get(tag)
        if (known === undefined || sizeBytes > reader.remaining) {
          reader.advance(sizeBytes)
          continue
        }
        try {
          into[known.name] = known.wire.read(reader)
          if (reader.offset !== end) {
            throw new WireError(`tag ${tag} of ${sizeBytes} bytes ends elsewhere`, reader.offset)
          }
        } catch (error) {
          throw placed(error, known.name)
        }
      }
    },
    write(writer, values) {
      const present = ascending.filter(([, { name, default: value }]) => {
        const given = values[name]
        return given !== undefined && !isDeepStrictEqual(given, value)
      })
      writer.unsignedVarint(present.length)
      for (const [tag, { name, wire }] of present) {
        const content = new Writer()
        try {
          wire.write(content, values[name])
        } catch (error) {
          throw placed(error, name)
        }
        writer.unsignedVarint(tag)
        writer.unsignedVarint(content.sizeBytes)
        writer.append(content)
      }
    },
  }
}

const noTaggedFields = compileTagged(new Map())

/** A default array is made anew each time: whoever decodes may keep and change it. */
const defaultOf = ({ codec, hasDefault, default: value }: AnyField): (() => unknown) =>
  hasDefault && !Array.isArray(value) ? () => value : () => codec.zero()

const compileStruct = (fields: Readonly<Record<string, AnyField>>, form: Form): Wire<Values> => {
  const present: CompiledField[] = []
  const taggedFields = new Map<number, CompiledField>()
  const absent: { name: string; value(): unknown }[] = []
  for (const [name, one] of Object.entries(fields)) {
    const isThere = form.version >= one.fromVersion && form.version <= one.toVersion
    if (!isThere || one.tag !== null) {
      absent.push({ name, value: defaultOf(one) })
    }
    if (!isThere) continue
    const wire: Wire<unknown, unknown> = one.codec.compile(form)
    const compiled = { name, wire, default: one.hasDefault ? one.default : undefined }
    if (one.tag === null) present.push(compiled)
    else taggedFields.set(one.tag, compiled)
  }
  const tags = form.isFlexible ? compileTagged(taggedFields) : null
  return {
    minBytes: present.reduce((sum, { wire }) => sum + wire.minBytes, tags === null ? 0 : 1),
    read(reader) {
      const values: Values = {}
      let name = ''
      try {
        for (const one of present) {
          name = one.name
          values[name] = one.wire.read(reader)
        }
      } catch (error) {
        throw placed(error, name)
      }
      for (const one of absent) values[one.name] = one.value()
      tags?.read(reader, values)
      return values
    },
    write(writer, values) {
      let name = ''
      try {
        for (const one of present) {
          name = one.name
          const value = values[name]
          one.wire.write(writer, value === undefined ? one.default : value)
        }
      } catch (error) {
        throw placed(error, name)
      }
      tags?.write(writer, values)
    },
  }
}

/** Named fields in the order in which they are written; ends with tagged fields in flexible versions. */
export const struct = <const F extends Fields>(
  given: F,
): NullableCodec<StructOut<F>, StructIn<F>> => {
  const fields: Record<string, AnyField> = {}
  for (const [name, one] of Object.entries(given)) {
    fields[name] = 'codec' in one ? one : field(one, 0, Number.POSITIVE_INFINITY, false, undefined)
  }
  // The one place where the types, which follow from the fields, meet the closures, which do not know them.
  const compile = (form: Form): Wire<StructOut<F>, StructIn<F>> =>
    compileStruct(fields, form) as unknown as Wire<StructOut<F>, StructIn<F>>
  return {
    type: 'struct',
    nullableFrom: null,
    fields,
    compile,
    compileNullable(form) {
      const wire = compile(form)
      return {
        minBytes: 1,
        read: (reader) => (reader.int8() < 0 ? null : wire.read(reader)),
        write(writer, value) {
          writer.int8(value === null ? -1 : 1)
          if (value !== null) wire.write(writer, value)
        },
      }
    },
    zero() {
      const values: Values = {}
      for (const [name, one] of Object.entries(fields)) {
        values[name] = defaultOf(one)()
      }
      return values as StructOut<F>
    },
  }
}
