import { randomBytes } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { guessable, guessableKey } from './secrets.ts'

test.each([
  'a'.repeat(44),
  'changeme-changeme-changeme-changeme',
  'the output of `openssl rand -base64 32`',
  'the-password-of-the-practice-1998',
  'kT9vQ2mXw7Lr'.repeat(3),
  'zyxwvutsrqponmlkjihgfedcba987654',
  'kT9vQ2mXw7LrPd4sHn8bYc3',
  '',
])('"%s" can be guessed', (secret) => expect(guessable(secret)).not.toBeNull())

test('what openssl and others make of chance is taken, however it is written', () => {
  for (let n = 0; n < 500; n += 1)
    for (const written of ['base64', 'base64url', 'hex'] as const) {
      expect(guessable(randomBytes(32).toString(written))).toBeNull()
      expect(guessableKey(`whsec_${randomBytes(24).toString('base64')}`)).toBeNull()
    }
})

test.each([
  'whsec_MfKQ9r8G',
  'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  `whsec_${Buffer.alloc(32).toString('base64')}`,
  'whsec_',
])('the key %s can be guessed', (secret) => expect(guessableKey(secret)).not.toBeNull())
