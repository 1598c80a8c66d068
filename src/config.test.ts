import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { loadConfig, settingNames } from './config.ts'
import { BadInput } from './core/errors.ts'

const SECRET = 'a link secret that is long enough'

const NEEDED = {
  RESEND_API_KEY: 're_123456789',
  LINK_SECRET: SECRET,
  MAIL_FROM: 'Harbor Groups <groups@mail.harbor.test>',
  POSTAL_ADDRESS: 'Harbor Groups, 12 Quay Street, Portland, ME 04101',
  PUBLIC_URL: 'https://groups.harbor.test',
}

/** As a practice fills them in. The domains are nobody's, and none of those that are kept for examples. */
const OWN = {
  RESEND_API_KEY: 're_kT9vQ2mX_w7LrPd4sHn8bYc3Z',
  LINK_SECRET: 'kT9vQ2mXw7LrPd4sHn8bYc3ZfGj6aEuR',
  MAIL_FROM: 'Lakeside Care <groups@mail.lakeside-care-sample.org>',
  POSTAL_ADDRESS: '7 Shore Road, Burlington, VT 05401',
  PUBLIC_URL: 'https://groups.lakeside-care-sample.org',
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'openseat-config-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

test('the five settings without a default are enough', () => {
  const config = loadConfig(NEEDED)
  expect(config).toMatchObject({ PORT: 3000, NODE_ENV: 'development', practice: 'Harbor Groups' })
  expect(config.slotRule).toEqual({ weekday: 1, time: '09:00', timeZone: 'America/New_York' })
  expect(config.LINK_SECRET).toEqual([SECRET])
})

test.each([
  ['Harbor <leave@in.harbor.test>', 'angle brackets'],
  ['leave', 'is not an address'],
  ['leave@localhost', 'a domain that cannot exist'],
  ['leave+us@in.harbor.test', 'may only have letters, digits, dots and dashes'],
  ['unsubscribe-from-all@in.harbor.test', 'has more than 19 characters before the @'],
])('UNSUBSCRIBE_ADDRESS %s is refused: %s', (address, says) => {
  const settings = { ...NEEDED, RESEND_WEBHOOK_SECRET: 'whsec_MfKQ9r8G', UNSUBSCRIBE_ADDRESS: address }
  expect(() => loadConfig(settings)).toThrow(says)
})

test('UNSUBSCRIBE_ADDRESS is refused without the webhook that reads what arrives there', () => {
  const settings = { ...NEEDED, UNSUBSCRIBE_ADDRESS: 'leave@in.harbor.test' }
  expect(() => loadConfig(settings)).toThrow('UNSUBSCRIBE_ADDRESS needs RESEND_WEBHOOK_SECRET')
  expect(loadConfig({ ...settings, RESEND_WEBHOOK_SECRET: 'whsec_MfKQ9r8G' }).UNSUBSCRIBE_ADDRESS).toBe(
    'leave@in.harbor.test',
  )
})

test('all problems are reported at once, each with its variable and a working example', () => {
  const problems = problemsOf({
    ...{ NODE_ENV: 'production', PUBLIC_URL: OWN.PUBLIC_URL.replace('https', 'http'), PORT: 'http' },
    ...{ MAIL_FROM: 'Harbor Groups', REDIS_URL: 'localhost:6379', LOG_LEVEL: 'loud', DIGEST_DAY: 'someday' },
  })
  expect(new Set(problems.map(nameIn))).toEqual(
    new Set([
      ...['DIGEST_DAY', 'LINK_SECRET', 'LOG_LEVEL', 'MAIL_FROM', 'PORT', 'POSTAL_ADDRESS'],
      ...['PUBLIC_URL', 'REDIS_URL', 'RESEND_API_KEY'],
    ]),
  )
  for (const problem of problems) expect(problem).toMatch(/for example \S/)
})

test('every setting that can be wrong says so with its name and an example', () => {
  const anything = new Set(['DATABASE_PATH', 'HOST', 'OPERATOR_HOST', 'TEMPLATES_PATH'])
  const wrong = 'neither < this >\nnor that'
  for (const name of settingNames().filter((name) => !anything.has(name))) {
    const problems = problemsOf({ ...NEEDED, [name]: name === 'LINK_SECRET' ? 'short' : wrong })
    expect(problems).toEqual([
      expect.stringMatching(new RegExp(`^${name} .*(for example|the output of) \\S`)),
    ])
  }
})

test('an empty setting counts as not set', () => {
  expect(loadConfig({ ...NEEDED, DIGEST_TIME: '', REDIS_URL: '' })).toMatchObject({ DIGEST_TIME: '09:00' })
  expect(problemsOf({ ...NEEDED, RESEND_API_KEY: '' })).toEqual([
    'RESEND_API_KEY is missing, for example re_123456789',
  ])
})

test('a secret may be in a file', () => {
  const { RESEND_API_KEY, LINK_SECRET, ...others } = NEEDED
  const config = loadConfig({
    ...others,
    RESEND_API_KEY_FILE: fileWith(`${RESEND_API_KEY}\n`),
    LINK_SECRET_FILE: fileWith(`${LINK_SECRET},${SECRET} of old\n`),
  })
  expect(config.RESEND_API_KEY).toBe('re_123456789')
  expect(config.LINK_SECRET).toEqual([SECRET, `${SECRET} of old`])
})

test('a secret set in two places, or in a missing file, is refused once', () => {
  const file = fileWith('re_987654321')
  expect(problemsOf({ ...NEEDED, RESEND_API_KEY_FILE: file })).toEqual([
    'RESEND_API_KEY is set twice, also as RESEND_API_KEY_FILE; keep one of them',
  ])
  const { RESEND_API_KEY: _, ...others } = NEEDED
  expect(problemsOf({ ...others, RESEND_API_KEY_FILE: '/nowhere/key' })).toEqual([
    expect.stringContaining('RESEND_API_KEY_FILE names /nowhere/key, which cannot be read'),
  ])
})

test('a link secret of 31 characters is refused, also behind a good one, and is not repeated', () => {
  const short = 'x'.repeat(31)
  const [problem = '', ...more] = problemsOf({ ...NEEDED, LINK_SECRET: `${SECRET}, ${short}` })
  expect(more).toEqual([])
  expect(problem).toMatch(/^LINK_SECRET \(secret 2\) is shorter than 32 characters.*openssl rand/)
  expect(problem).not.toContain(short)
  expect(loadConfig({ ...NEEDED, LINK_SECRET: `${short}x` }).LINK_SECRET).toHaveLength(1)
})

test.each([
  ['RESEND_BASE_URL', 'https://resend.elsewhere.test', false],
  ['RESEND_BASE_URL', 'http://localhost.elsewhere.test:4100', false],
  ['RESEND_BASE_URL', 'http://127.0.0.1:4100', true],
  ['RESEND_BASE_URL', 'http://[::1]:4100', true],
  ['PUBLIC_URL', 'http://groups.lakeside-care-sample.org', false],
  ['PUBLIC_URL', 'http://127.0.0.1:3000', true],
  ['PUBLIC_URL', 'https://groups.lakeside-care-sample.org/', true],
])('production and %s=%s', (name, value, allowed) => {
  const settings = { ...OWN, [name]: value }
  const inProduction = { ...settings, NODE_ENV: 'production' }
  expect(loadConfig(settings)).toHaveProperty(name, value.replace(/\/$/, ''))
  if (allowed) expect(loadConfig(inProduction)).toHaveProperty(name, value.replace(/\/$/, ''))
  else expect(problemsOf(inProduction)).toEqual([expect.stringMatching(`^${name} .*for example`)])
})

test.each([
  ['LINK_SECRET', 'a'.repeat(44), 'kT9vQ2mXw7LrPd4sHn8bYc3ZfGj6aEuR'],
  [
    'LINK_SECRET',
    'the output of `openssl rand -base64 32`',
    `kT9vQ2mXw7LrPd4sHn8bYc3ZfGj6aEuR,${'a'.repeat(44)}`,
  ],
  ['RESEND_WEBHOOK_SECRET', 'whsec_MfKQ9r8G', 'whsec_kT9vQ2mXw7LrPd4sHn8bYc3ZfGj6aEuR'],
  ['RESEND_WEBHOOK_SECRET', 'whsec_kT9vQ2mXw7LrPd4sHn8bYc3ZfGj6aEuR,whsec_AAAA', undefined],
  ['METRICS_TOKEN', '0123456789abcdef', 'kT9vQ2mXw7LrPd4sHn8bYc3ZfGj6aEuR'],
])('production refuses a %s of "%s"', (name, weak, strong) => {
  const inProduction = { ...OWN, NODE_ENV: 'production' }
  expect(problemsOf({ ...inProduction, [name]: weak })).toEqual([
    expect.stringMatching(`^${name} .*(openssl rand -base64 32|copy the signing secret)`),
  ])
  expect(loadConfig({ ...NEEDED, [name]: weak })).toHaveProperty(name)
  expect(loadConfig({ ...inProduction, [name]: strong })).toHaveProperty(name)
})

test('production refuses the values of examples, unless a stand-in takes the emails', () => {
  const inProduction = { ...OWN, ...NEEDED, LINK_SECRET: OWN.LINK_SECRET, NODE_ENV: 'production' }
  expect(problemsOf(inProduction).map(nameIn).toSorted()).toEqual([
    ...['MAIL_FROM', 'POSTAL_ADDRESS', 'PUBLIC_URL', 'RESEND_API_KEY'],
  ])
  expect(loadConfig({ ...inProduction, NODE_ENV: 'development' }).practice).toBe('Harbor Groups')
  const RESEND_BASE_URL = 'http://127.0.0.1:4100'
  expect(loadConfig({ ...inProduction, RESEND_BASE_URL }).practice).toBe('Harbor Groups')
})

test.each(['03:59', '23:01', '09:60', '9:00', '24:00', 'noon'])('an edition cannot be due at %s', (time) => {
  expect(problemsOf({ ...NEEDED, DIGEST_TIME: time })).toEqual([
    expect.stringMatching(/^DIGEST_TIME .*for example 09:00$/),
  ])
})

test.each(['04:00', '23:00'])('an edition can be due at %s', (time) => {
  expect(loadConfig({ ...NEEDED, DIGEST_TIME: time }).slotRule.time).toBe(time)
})

test('a time zone that is not on the list is refused', () => {
  expect(problemsOf({ ...NEEDED, DIGEST_TIME_ZONE: 'America/Portland' })).toEqual([
    'DIGEST_TIME_ZONE is not a time zone of the IANA list; for example America/New_York',
  ])
})

test.each([
  [
    'BRAND_COLOR',
    '#23b08f',
    /^BRAND_COLOR is too pale: it has a contrast of 2\.4:1 where text needs 4\.5:1; for example #\w{6}$/,
  ],
  ['BRAND_LOGO_URL', 'http://groups.your-practice.org/logo.png', /^BRAND_LOGO_URL is not an https address/],
  [
    'BRAND_LOGO_URL',
    'https://images.elsewhere.test/logo.png',
    /^BRAND_LOGO_URL is not on the host of PUBLIC_URL/,
  ],
  [
    'PRACTICE_URL',
    'http://www.your-practice.org',
    /^PRACTICE_URL is not an https address; for example https:/,
  ],
  ['PRACTICE_URL', 'www.your-practice.org', /^PRACTICE_URL is not an https address/],
  ['PRACTICE_PHONE', 'call us', /^PRACTICE_PHONE is not one phone number in digits; for example \+1 207/],
  ['PRACTICE_PHONE', `207${' '.repeat(40)}555`, /^PRACTICE_PHONE is longer than 40 characters/],
  ['LOCALE', 'english please', /^LOCALE is not a language tag/],
  ['LOCALE', 'fr', /^LOCALE is fr, and there are no words in that language; for example en or es/],
  ['LOCALE', 'fr-CA', /^LOCALE is fr-CA, and there are no words/],
  ['DISCREET_FROM_NAME', 'Weekly <x>', /^DISCREET_FROM_NAME has a control character or one of/],
])('%s=%s is refused', (name, value, words) => {
  expect(problemsOf({ ...NEEDED, [name]: value })).toEqual([expect.stringMatching(words)])
})

test('a language is supported once its catalog exists', () => {
  const folder = mkdtempSync(join(tmpdir(), 'openseat-words-'))
  mkdirSync(join(folder, 'words'))
  writeFileSync(join(folder, 'words/fr.json'), '{}')
  expect(loadConfig({ ...NEEDED, LOCALE: 'fr-CA', TEMPLATES_PATH: folder }).LOCALE).toBe('fr-CA')
  expect(loadConfig({ ...NEEDED, LOCALE: 'es-MX' }).LOCALE).toBe('es-MX')
  rmSync(folder, { recursive: true })
})

test('international names are in ASCII wherever they go, and names of senders are quoted', () => {
  const config = loadConfig({
    ...NEEDED,
    PUBLIC_URL: 'https://Bücher.test/Grüße/',
    BRAND_LOGO_URL: 'https://bücher.test/logo.png',
    MAIL_FROM: 'Mira Lee, LCSW <mira@bücher.test>',
    MAIL_REPLY_TO: 'mira@bücher.test',
    DISCREET_FROM_NAME: 'Lee, M.',
  })
  expect(config).toMatchObject({
    PUBLIC_URL: 'https://xn--bcher-kva.test/Gr%C3%BC%C3%9Fe',
    BRAND_LOGO_URL: 'https://xn--bcher-kva.test/logo.png',
    MAIL_FROM: '"Mira Lee, LCSW" <mira@xn--bcher-kva.test>',
    MAIL_REPLY_TO: 'mira@xn--bcher-kva.test',
    DISCREET_FROM_NAME: 'Lee, M.',
    practice: 'Mira Lee, LCSW',
  })
})

test('a practice has its own color and logo', () => {
  const own = { BRAND_COLOR: '#7A1F5C', BRAND_LOGO_URL: `${NEEDED.PUBLIC_URL}/logo.png` }
  expect(loadConfig({ ...NEEDED, ...own }).palette.accent).toBe('#7a1f5c')
})

test('.env.example names every setting, explains it, and has no value that could be wrong on a real email', () => {
  const source = readFileSync(join(import.meta.dirname, '../.env.example'), 'utf8')
  const example = parseEnv(source)
  expect(Object.keys(example).sort()).toEqual(settingNames().sort())
  for (const name of settingNames()) expect(source).toMatch(new RegExp(`^# .+\\n${name}=`, 'm'))
  expect(problemsOf(example).map(nameIn).toSorted()).toEqual(Object.keys(NEEDED).toSorted())
  const { practice, ...config } = loadConfig({ ...example, ...OWN })
  expect(practice).toBe('Lakeside Care')
  const defaults = { ...loadConfig({ ...OWN, NODE_ENV: 'production' }), practice: undefined }
  expect({ ...config, practice: undefined }).toEqual(defaults)
})

function problemsOf(env: Record<string, string | undefined>): string[] {
  try {
    loadConfig(env)
  } catch (error) {
    if (!(error instanceof BadInput)) throw error
    return error.message.split('\n  ').slice(1)
  }
  throw new Error('the settings were taken')
}

const nameIn = (problem: string) => /^\w+/.exec(problem)?.[0]

function fileWith(content: string): string {
  const file = join(folder, `secret-${content.length}`)
  writeFileSync(file, content)
  return file
}
