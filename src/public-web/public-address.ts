import { BlockList, isIP } from 'node:net'

// What IANA does not give out on the internet: this machine, its networks, the cloud's metadata, and ways around those.
// https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry
const NOT_PUBLIC_4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15'],
  ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
]
/** Only of this range are addresses given out; within it, these are not what they seem. */
const GLOBAL_6 = '2000::/3'
const NOT_PUBLIC_6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

const notPublic4 = blocks(NOT_PUBLIC_4, 'ipv4')
const global6 = blocks([GLOBAL_6], 'ipv6')
const notPublic6 = blocks(NOT_PUBLIC_6, 'ipv6')

function blocks(networks: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    list.addSubnet(address, Number(bits), family)
  }
  return list
}

/** Whether an IP address is one of the internet. An IPv6 address that stands for an IPv4 one is not. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !notPublic4.check(address, 'ipv4')
  return family === 6 && global6.check(address, 'ipv6') && !notPublic6.check(address, 'ipv6')
}

/** Names that the internet does not have: RFC 6761, RFC 8375, and what routers and clouds use. */
const NOT_PUBLIC_NAME =
  /(^|\.)(localhost|local|localdomain|internal|intranet|lan|home\.arpa|onion|test|invalid|example)\.?$/i

/** Whether a host name may be one of the internet, before anyone is asked for its address. */
export const mayBePublicName = (host: string): boolean => host.includes('.') && !NOT_PUBLIC_NAME.test(host)
