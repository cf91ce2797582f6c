/** Where a record is in Kafka, spelt as every command takes it. */

/** @param {{ readonly topic: string, readonly partition: number, readonly offset: number }} record */
export const place = ({ offset, partition, topic }) => `${topic}/${partition}@${offset}`
