/**
 * Checks the Host header: a server on a loopback address answers to names of this machine only, which prevents DNS
 * rebinding.
 */

/** The name without its port; an IPv6 address without its brackets. */
const nameOf = (host: string): string | undefined =>
  /^(?:\[([^\]]+)\]|([^:\s]+))(?::\d{1,5})?$/
    .exec(host.trim())
    ?.slice(1)
    .find((name) => name !== undefined)

/** Whether only this machine reaches a server that listens there. */
export const isLoopback = (address: string): boolean =>
  /^(localhost|127(\.\d{1,3}){3}|::1|(::ffff:)127(\.\d{1,3}){3})$/i.test(address.trim())

/** Whether a request with this Host header is meant for a server that listens on a loopback address. */
export const isLocalName = (host: string | undefined): boolean => {
  const name = host === undefined ? undefined : nameOf(host)
  return name !== undefined && isLoopback(name)
}

export const refusal = "This answers to localhost, 127.0.0.1 and [::1] only\n"
