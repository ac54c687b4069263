import { type Reader, WireError, type Writer } from './wire.ts'

/**
 * Message tables: codecs and combinators from which the bytes of every version and the TypeScript types follow.
 * A codec is compiled once per version into the closures that read and write it.
 */

/** The version a codec is compiled for, and whether it is flexible (KIP-482: compact lengths, tagged fields). */
export interface Form {
  readonly version: number
  readonly isFlexible: boolean
}

/** A codec in one version. */
export interface Wire<Out, In = Out> {
  /** Fewest bytes that a value takes; bounds a count before anything is allocated. */
  readonly minBytes: number
  read(reader: Reader): Out
  write(writer: Writer, value: In): void
}

/** `Out` is what decoding gives, `In` what encoding takes (fields with a default may be left out). */
export interface Codec<Out, In = Out> {
  /** Kafka's name of the type; `array` and `struct` for the composed ones. */
  readonly type: string
  /** First version in which the value may be null; null when it never is. */
  readonly nullableFrom: number | null
  readonly element?: AnyCodec
  readonly fields?: Readonly<Record<string, AnyField>>
  compile(form: Form): Wire<Out, In>
  /** What decoding gives for a version that lacks the field, when no default is declared. */
  zero(): Out
}

/** A codec whose type has a null form. */
export interface NullableCodec<Out, In = Out> extends Codec<Out, In> {
  compileNullable(form: Form): Wire<Out | null, In | null>
}

// Methods compare their parameters both ways, so every codec is one of these.
export type AnyCodec = Codec<unknown, never>

/** A codec as a field of a struct: in which versions it is there, its default, its tag. */
export interface Field<Out, In, IsOptional extends boolean> {
  readonly codec: Codec<Out, In>
  readonly fromVersion: number
  /** Inclusive; `Infinity` when open. */
  readonly toVersion: number
  readonly hasDefault: IsOptional
  readonly default: Out | undefined
  /** Tag number from `fromVersion` on; null for a plain field. */
  readonly tag: number | null
}

export type AnyField = Field<unknown, never, boolean>
/** What decoding gives: every field is there. */
export type Decoded<C> = C extends Codec<infer Out, infer _In> ? Out : never
/** What encoding takes: fields with a default may be left out. */
export type Given<C> = C extends Codec<infer _Out, infer In> ? In : never

const primitive = <T>(
  type: string,
  minBytes: number,
  zero: T,
  read: (reader: Reader) => T,
  write: (writer: Writer, value: T) => void,
): Codec<T> => {
  const wire: Wire<T> = { minBytes, read, write }
  return { type, nullableFrom: null, compile: () => wire, zero: () => zero }
}

/** 16 zero bytes: the uuid that means "none". */
export const zeroUuid = 'AAAAAAAAAAAAAAAAAAAAAA'

export const bool = primitive(
  'bool',
  1,
  false,
  (r) => r.bool(),
  (w, v) => w.bool(v),
)
export const int8 = primitive(
  'int8',
  1,
  0,
  (r) => r.int8(),
  (w, v) => w.int8(v),
)
export const int16 = primitive(
  'int16',
  2,
  0,
  (r) => r.int16(),
  (w, v) => w.int16(v),
)
export const uint16 = primitive(
  'uint16',
  2,
  0,
  (r) => r.uint16(),
  (w, v) => w.uint16(v),
)
export const int32 = primitive(
  'int32',
  4,
  0,
  (r) => r.int32(),
  (w, v) => w.int32(v),
)
export const uint32 = primitive(
  'uint32',
  4,
  0,
  (r) => r.uint32(),
  (w, v) => w.uint32(v),
)
export const int64 = primitive(
  'int64',
  8,
  0,
  (r) => r.int64(),
  (w, v) => w.int64(v),
)
export const float64 = primitive(
  'float64',
  8,
  0,
  (r) => r.float64(),
  (w, v) => w.float64(v),
)
export const uuid = primitive(
  'uuid',
  16,
  zeroUuid,
  (r) => r.uuid(),
  (w, v) => w.uuid(v),
)

/** How a length or count is written: int16, int32, or unsigned varint of N + 1. */
interface LengthForm {
  readonly minBytes: number
  /** Gives -1 for null: 0 in the compact form, any negative number in the others, as Kafka takes it. */
  read(reader: Reader): number
  write(writer: Writer, length: number): void
}
const int16Length: LengthForm = {
  minBytes: 2,
  read: (r) => Math.max(r.int16(), -1),
  write: (w, length) => w.int16(length),
}
const int32Length: LengthForm = {
  minBytes: 4,
  read: (r) => Math.max(r.int32(), -1),
  write: (w, length) => w.int32(length),
}
const compactLength: LengthForm = {
  minBytes: 1,
  read: (r) => r.unsignedVarint() - 1,
  write: (w, length) => w.unsignedVarint(length + 1),
}

/** A type that begins with a length, whose null form is length -1. */
const withLength = <Out, In>(
  type: string,
  plainLength: LengthForm,
  zero: () => Out,
  compileRest: (
    form: Form,
    length: LengthForm,
  ) => {
    read(reader: Reader, length: number): Out
    write(writer: Writer, value: In): void
  },
  element?: AnyCodec,
): NullableCodec<Out, In> => {
  const compile = (form: Form): Wire<Out, In> => {
    const length = form.isFlexible ? compactLength : plainLength
    const rest = compileRest(form, length)
    const read = (reader: Reader): Out => {
      const start = reader.offset
      const count = length.read(reader)
      if (count < 0) throw new WireError(`null where ${type} is due`, start)
      return rest.read(reader, count)
    }
    return { minBytes: length.minBytes, read, write: (w, v) => rest.write(w, v) }
  }
  const compileNullable = (form: Form): Wire<Out | null, In | null> => {
    const length = form.isFlexible ? compactLength : plainLength
    const rest = compileRest(form, length)
    return {
      minBytes: length.minBytes,
      read(reader) {
        const count = length.read(reader)
        return count < 0 ? null : rest.read(reader, count)
      },
      write(writer, value) {
        if (value === null) length.write(writer, -1)
        else rest.write(writer, value)
      },
    }
  }
  const codec = { type, nullableFrom: null, compile, compileNullable, zero }
  return element === undefined ? codec : { ...codec, element }
}

export const string: NullableCodec<string> = withLength(
  'string',
  int16Length,
  () => '',
  (_form, length) => ({
    read: (reader, sizeBytes) => reader.utf8(sizeBytes),
    write: (writer, value: string) =>
      writer.text(value, (sizeBytes) => length.write(writer, sizeBytes)),
  }),
)

/** Decodes to a view of the frame, not a copy. */
export const bytes: NullableCodec<Buffer> = withLength(
  'bytes',
  int32Length,
  () => Buffer.alloc(0),
  (_form, length) => ({
    read: (reader, sizeBytes) => reader.bytes(sizeBytes),
    write(writer, value: Buffer) {
      if (!Buffer.isBuffer(value)) throw new WireError(`${String(value)} where bytes are due`)
      length.write(writer, value.length)
      writer.bytes(value)
    },
  }),
)

/** Any number of `element`, in order. */
export const array = <Out, In>(element: Codec<Out, In>): NullableCodec<Out[], readonly In[]> =>
  withLength(
    'array',
    int32Length,
    () => [],
    (form, length) => {
      const wire = element.compile(form)
      const minBytes = Math.max(wire.minBytes, 1)
      return {
        read(reader, count) {
          if (count * minBytes > reader.remaining) {
            throw new WireError(`${count} elements in ${reader.remaining} bytes`, reader.offset)
          }
          const values: Out[] = []
          try {
            while (values.length < count) values.push(wire.read(reader))
          } catch (error) {
            throw placed(error, `[${values.length}]`)
          }
          return values
        },
        write(writer, values: readonly In[]) {
          if (!Array.isArray(values)) throw new WireError(`${String(values)} where an array is due`)
          length.write(writer, values.length)
          let index = 0
          try {
            for (const value of values as readonly In[]) {
              wire.write(writer, value)
              index++
            }
          } catch (error) {
            throw placed(error, `[${index}]`)
          }
        },
      }
    },
    element,
  )

/** Puts a field name or an index in front of a `WireError`'s path. */
export const placed = (error: unknown, segment: string): unknown =>
  error instanceof WireError ? error.under(segment) : error

/** May be null from version `fromVersion` on; null in an earlier version is a `WireError`. */
export const nullableSince = <Out, In>(
  fromVersion: number,
  codec: NullableCodec<Out, In>,
): Codec<Out | null, In | null> => ({
  ...codec,
  nullableFrom: fromVersion,
  compile(form) {
    if (form.version >= fromVersion) return codec.compileNullable(form)
    const wire = codec.compile(form)
    return {
      ...wire,
      write(writer, value) {
        if (value === null) throw new WireError(`null before version ${fromVersion}`)
        wire.write(writer, value)
      },
    }
  },
})

/** May be null in every version. */
export const nullable = <Out, In>(codec: NullableCodec<Out, In>): Codec<Out | null, In | null> =>
  nullableSince(0, codec)

export const nullableString = nullable(string)
export const nullableBytes = nullable(bytes)
export const nullableArray = <Out, In>(
  element: Codec<Out, In>,
): Codec<Out[] | null, readonly In[] | null> => nullable(array(element))

/**
 * Record batches, opaque. Decodes to a view of the frame; encodes one buffer or several in a row, by reference.
 * Null is allowed in every version.
 */
export const records: Codec<Buffer | null, Buffer | readonly Buffer[] | null> = {
  type: 'records',
  nullableFrom: 0,
  zero: () => null,
  compile(form) {
    const length = form.isFlexible ? compactLength : int32Length
    return {
      minBytes: length.minBytes,
      read(reader) {
        const sizeBytes = length.read(reader)
        return sizeBytes < 0 ? null : reader.bytes(sizeBytes)
      },
      write(writer, value) {
        if (value === null) return length.write(writer, -1)
        const parts = Buffer.isBuffer(value) ? [value] : value
        length.write(
          writer,
          parts.reduce((sizeBytes, part) => sizeBytes + part.length, 0),
        )
        for (const part of parts) writer.reference(part)
      },
    }
  },
}
