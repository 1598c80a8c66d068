/**
 * The text with every mail address in it replaced, also one in a link (`%40`), for reasons and logs: who is on the list is
 * health information. What a failed query was asked with goes too, and what is longer than a person reads. Any local part
 * of RFC 5322 §3.4.1 is taken, quoted ones and comments as well, and too much rather than too little. Linear in the length.
 */
export function withoutAddresses(text: string): string {
  const short = text
    .replace(PIECE, (piece) => (AT.test(piece) ? '[address]' : piece))
    .replace(/\nparams: [^]*?(?=\n {4}at |$)/g, '\nparams: [hidden]')
  return short.length > LONGEST ? `${short.slice(0, LONGEST)}…` : short
}

const LONGEST = 8_192
const AT = /@|%40/
// Longest runs, looked into afterwards: a pattern that asks for an @ itself would search each run once per character.
const PIECE =
  /(?:"(?:[^"\\\r\n]|\\.){0,128}"(?=[.@]|%40)|\((?:[^()\\\r\n]|\\.){0,128}\)(?=[.@]|%40)|[^\s<>()",;:[\]\\])+/g
