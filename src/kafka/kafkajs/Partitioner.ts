/**
 * Which partition a record goes to: by its key as Java's own producer has it, in linear time for keys of any size;
 * records without a key in turn.
 */
import type { ICustomPartitioner } from "kafkajs"

/** kafkajs's own takes minutes for a key of a megabyte. */
export const make: ICustomPartitioner = () => {
  let turn = Math.floor(Math.random() * 1_000_000)
  return ({ message: { key, partition }, partitionMetadata }) => {
    if (partition !== undefined && partition !== null) return partition
    if (key !== undefined && key !== null)
      return (murmur2(typeof key === "string" ? Buffer.from(key) : key) & 0x7fffffff) % partitionMetadata.length
    const reachable = partitionMetadata.filter(({ leader }) => leader >= 0)
    const choice = reachable.length > 0 ? reachable : partitionMetadata
    return choice[turn++ % choice.length]?.partitionId ?? 0
  }
}

const multiplier = 0x5bd1e995

/** The hash of Kafka's clients, in 32 bits. */
export const murmur2 = (bytes: Buffer): number => {
  const whole = bytes.length & ~3
  let hash = 0x9747b28c ^ bytes.length
  for (let at = 0; at < whole; at += 4) {
    const mixed = Math.imul(bytes.readInt32LE(at), multiplier)
    hash = Math.imul(hash, multiplier) ^ Math.imul(mixed ^ (mixed >>> 24), multiplier)
  }
  if (whole < bytes.length) hash = Math.imul(hash ^ bytes.readUIntLE(whole, bytes.length - whole), multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}
