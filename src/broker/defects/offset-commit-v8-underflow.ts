import type { NullableCodec, Wire } from '../../protocol/schema.ts'
import { Writer } from '../../protocol/wire.ts'
import type { Defect } from './defect.ts'

/** Its last byte, the empty tagged fields at the end of a flexible message, is not written. */
const shortened = <Out, In>(wire: Wire<Out, In>): Wire<Out, In> => ({
  ...wire,
  write(writer, value) {
    const whole = new Writer()
    wire.write(whole, value)
    writer.bytes(Buffer.concat(whole.finish()).subarray(0, -1))
  },
})

const endingEarly = <Out, In>(codec: NullableCodec<Out, In>): NullableCodec<Out, In> => ({
  ...codec,
  compile: (form) => (form.isFlexible ? shortened(codec.compile(form)) : codec.compile(form)),
})

/** The client reports "commit failed: Read underflow" although the offsets are kept. */
export const offsetCommitV8Underflow: Defect = {
  name: 'offset-commit-v8-underflow',
  summary: 'leaves out the tagged fields at the end of OffsetCommit v8 and later',
  source: 'Chronik 2.5 with librdkafka; KIP-482',
  apply(parts) {
    const { OffsetCommit } = parts.messages
    return {
      ...parts,
      messages: {
        ...parts.messages,
        OffsetCommit: { ...OffsetCommit, response: endingEarly(OffsetCommit.response) },
      },
    }
  },
}
