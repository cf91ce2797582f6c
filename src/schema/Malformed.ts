/** Why bytes cannot be read by their schema; thrown inside the readers of this room, which return it as a value. */

/** The body, or a schema, is not what it should be; the message never quotes the payload. */
export class Malformed extends Error {
  override readonly name = "Malformed"
}

/** The body is readable, but its JSON is longer than an event may be. */
export class TooLong extends Error {
  override readonly name = "TooLong"
}
