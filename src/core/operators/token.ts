import { createHash, randomBytes } from 'node:crypto'

/** A new secret for a cookie or a link: 256 bits in base64url. */
export const newToken = (): string => randomBytes(32).toString('base64url')

/** What is stored of it. As it is random, it needs no slow hash. */
export const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url')
