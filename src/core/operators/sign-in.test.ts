import { expect, test } from '@jest/globals'
import { appAddress, newAppSecret, stepOfCode } from './app-code.ts'
import { deviceIn } from './device.ts'
import { openPasswords, passwordProblem } from './password.ts'
import { newRecoveryCodes, recoveryHash } from './recovery.ts'
import { seal, unseal } from './sealed.ts'

test('a password matches itself alone, however its letters were typed, and nobody’s matches nothing', async () => {
  const passwords = openPasswords()
  const hashed = await passwords.hash('Möwen über dem Kai')
  expect(hashed).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  expect(await passwords.hash('Möwen über dem Kai')).not.toBe(hashed)
  const tried = ['Möwen über dem Kai', 'Mo\u0308wen u\u0308ber dem Kai', 'möwen über dem Kai', '']
  expect(await Promise.all(tried.map((one) => passwords.matches(one, hashed)))).toEqual([
    true,
    true,
    false,
    false,
  ])
  expect(await passwords.matches('Möwen über dem Kai', null)).toBe(false)
  expect(await passwords.matches('Möwen über dem Kai', 'plain text')).toBe(false)
})

test('more guesses at once than can wait are refused, and those that wait are answered', async () => {
  const passwords = openPasswords()
  const guesses = await Promise.allSettled(Array.from({ length: 45 }, () => passwords.matches('x', null)))
  expect(guesses.filter(({ status }) => status === 'rejected')).toHaveLength(3)
  expect(await passwords.matches('x', null)).toBe(false)
})

test.each([
  ['eleven chars', null],
  ['eleven char', 'short'],
  ['😀😀😀😀😀😀😀😀😀😀😀', 'short'],
  ['x'.repeat(201), 'long'],
  ['aaaaaaaaaaaaaaa', 'common'],
  ['Password123456', 'common'],
  ['HarborGroups2026', 'common'],
  ['mira.lee@sample.test1', 'common'],
  ['four gulls over quay', null],
])('the password %j is %j', (password, problem) => {
  expect(passwordProblem(password, { practice: 'Harbor Groups', email: 'mira.lee@sample.test' })).toBe(
    problem,
  )
})

test('the app’s code of this minute has a step, and others have none', () => {
  // RFC 6238, appendix B, with six digits.
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
  const at = (seconds: number) => new Date(seconds * 1000)
  expect(stepOfCode(secret, '287082', at(59))).toBe(1)
  expect(stepOfCode(secret, '287 082', at(89))).toBe(1)
  expect(stepOfCode(secret, '287082', at(90))).toBeNull()
  expect(stepOfCode(secret, '081804', at(1_111_111_109))).toBe(37_037_036)
  for (const code of ['', '000000', '28708', 'abcdef']) expect(stepOfCode(secret, code, at(59))).toBeNull()
  const address = appAddress(secret, { practice: 'Harbor Groups', email: 'mira@sample.test' })
  expect(address).toContain(
    `otpauth://totp/Harbor%20Groups:mira%40sample.test?issuer=Harbor%20Groups&secret=${secret}`,
  )
  expect(newAppSecret()).toMatch(/^[A-Z2-7]{32}$/)
})

test('a recovery code is found however it was typed', () => {
  const codes = newRecoveryCodes()
  expect(new Set(codes).size).toBe(10)
  const [code = ''] = codes
  expect(code).toMatch(/^([a-hjkmnp-z2-9]{4}-){3}[a-hjkmnp-z2-9]{4}$/)
  const hash = recoveryHash(code)
  for (const typed of [code.toUpperCase(), code.replaceAll('-', ''), ` ${code.replaceAll('-', ' ')} `])
    expect(recoveryHash(typed)).toBe(hash)
  for (const typed of ['', '123456', `${code}a`, code.replace(/.$/, '0')])
    expect(recoveryHash(typed)).toBeNull()
})

test('what is sealed opens with its secret, also behind a newer one, and with no other', () => {
  const sealed = seal(['the old secret'], 'GEZDGNBV')
  expect(unseal(['the new secret', 'the old secret'], sealed)).toBe('GEZDGNBV')
  expect(unseal(['the new secret'], sealed)).toBeNull()
  expect(unseal(['the old secret'], 'no sealed text')).toBeNull()
  expect(seal(['the old secret'], 'GEZDGNBV')).not.toBe(sealed)
})

test.each([
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Windows'],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1',
    'Safari on iPhone',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0',
    'Edge on Mac',
  ],
  ['<script>', 'a browser on a device'],
  [undefined, 'a browser on a device'],
])('%s is %s', (agent, device) => expect(deviceIn(agent)).toBe(device))
