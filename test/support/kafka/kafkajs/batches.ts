/** Record batches as a broker sends them, put together byte by byte, also such as no producer should send. */

export interface BatchOptions {
  readonly baseOffset?: number
  readonly attributes?: number
  readonly producerId?: bigint
  /** The records, already packed in the way that `attributes` says; else these are packed. */
  readonly body?: Buffer
  readonly count?: number
  readonly lastOffset?: number
}

export interface RecordOptions {
  readonly key?: Buffer | null
  readonly value?: Buffer | null
  readonly headers?: ReadonlyArray<readonly [name: Buffer, value: Buffer | null]>
}

const varint = (value: number): Buffer => {
  const bytes: Array<number> = []
  let rest = ((value << 1) ^ (value >> 31)) >>> 0
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Buffer.from([...bytes, rest])
}
const varbytes = (bytes: Buffer | null): Buffer =>
  bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes])

export const record = (offsetDelta: number, { headers = [], key = null, value = null }: RecordOptions): Buffer => {
  const content = Buffer.concat([
    Buffer.from([0]),
    varint(0),
    varint(offsetDelta),
    varbytes(key),
    varbytes(value),
    varint(headers.length),
    ...headers.flatMap(([name, content]) => [varbytes(name), varbytes(content)])
  ])
  return Buffer.concat([varint(content.length), content])
}

export const batch = (records: ReadonlyArray<RecordOptions>, options: BatchOptions = {}): Buffer => {
  const { attributes = 0, baseOffset = 0, producerId = -1n } = options
  const body = options.body ?? Buffer.concat(records.map((one, index) => record(index, one)))
  const header = Buffer.alloc(61)
  header.writeBigInt64BE(BigInt(baseOffset), 0)
  header.writeInt32BE(49 + body.length, 8)
  header.writeInt8(2, 16)
  header.writeInt16BE(attributes, 21)
  header.writeInt32BE((options.lastOffset ?? baseOffset + records.length - 1) - baseOffset, 23)
  header.writeBigInt64BE(1_700_000_000_000n, 27)
  header.writeBigInt64BE(1_700_000_000_000n, 35)
  header.writeBigInt64BE(producerId, 43)
  header.writeInt32BE(options.count ?? records.length, 57)
  return Buffer.concat([header, body])
}
