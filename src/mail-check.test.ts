import { expect, test } from '@jest/globals'
import { aDomain } from './dev/resend-domains.ts'
import { type StandInOptions, startResendStandIn } from './dev/resend-stand-in.ts'
import { type Check, checkMail } from './mail-check.ts'
import { afterTest } from './testing.ts'

const OUR_DOMAIN = 'mail.harbor.test'
const FROM = `Harbor Groups <groups@${OUR_DOMAIN}>`

test('all is well with a verified domain, no tracking and the right time', async () => {
  expect(await told({ domains: [aDomain('other.test'), aDomain('Mail.Harbor.test')] })).toEqual([
    'ok Resend key: Resend accepts it',
    'ok mail domain: mail.harbor.test is verified',
    'ok tracking: open and click tracking are off',
    'ok clock: agrees with Resend',
  ])
})

test('a key that only sends is right, and what it cannot see is left to a person', async () => {
  expect(await told({ sendingOnly: true })).toEqual([
    expect.stringMatching(
      /^ok Resend key: may only send, as it should; .* that mail\.harbor\.test is verified/,
    ),
    'ok clock: agrees with Resend',
  ])
})

test('a wrong key, and a Resend that cannot be reached, are told apart', async () => {
  expect(await told({ apiKey: 're_another' })).toMatchObject(
    [/^fail Resend key: 401: API key is invalid \| Make a key with sending access/, expect.anything()].map(
      (line) => (line instanceof RegExp ? expect.stringMatching(line) : line),
    ),
  )
  const [only, ...more] = await checkMail({
    apiKey: 're_x',
    baseUrl: 'http://127.0.0.1:1',
    from: FROM,
    now: new Date(),
  })
  expect([only?.status, only?.mend, more]).toEqual([
    'fail',
    'Let this machine reach https://api.resend.com, port 443.',
    [],
  ])
})

test('a busy Resend is no failure', async () => {
  expect(await told({ requestsPerSecond: 0 })).toContainEqual(
    expect.stringMatching(/^warn Resend key: 429: .* \| Resend is busy/),
  )
})

test.each([
  [
    'that is another',
    [aDomain('harbor.test')],
    /^fail mail domain: mail\.harbor\.test, of MAIL_FROM, is not in this Resend account \| Add/,
  ],
  [
    'that is not verified yet',
    [aDomain(OUR_DOMAIN, { status: 'pending' })],
    /^fail mail domain: .* is pending \| Set the DNS records/,
  ],
  [
    'of which a record is missing',
    [aDomain(OUR_DOMAIN, { status: 'partially_verified' })],
    /^fail mail domain: .* is partially verified \|/,
  ],
  [
    'that tracks who opens',
    [aDomain(OUR_DOMAIN, { open_tracking: true })],
    /^fail tracking: open tracking is on \| Switch it off/,
  ],
  [
    'that tracks everything',
    [aDomain(OUR_DOMAIN, { open_tracking: true, click_tracking: true })],
    /^fail tracking: open and click tracking is on/,
  ],
  [
    'that may not send',
    [aDomain(OUR_DOMAIN, { capabilities: { sending: 'disabled', receiving: 'enabled' } })],
    /^fail mail domain: .* may not be sent from \| Enable/,
  ],
])('a domain %s is told', async (_what, domains, says) => {
  expect(await told({ domains })).toContainEqual(expect.stringMatching(says))
})

test('a clock that is wrong is told, as little as webhooks allow', async () => {
  const off = async (minutes: number) =>
    (await told({}, new Date(Date.now() + minutes * 60_000))).find((line) => line.includes('clock'))
  expect(await off(2.5)).toMatch(/^warn clock: 3 minutes ahead of Resend \| .*timedatectl/)
  expect(await off(-90)).toMatch(/^fail clock: 90 minutes behind Resend/)
})

test('the address that Resend gives for trying out is no sender', async () => {
  const checks = await checkMail({ apiKey: 're_x', from: 'Try <onboarding@resend.dev>', now: new Date() })
  expect(checks.map(asLine)).toEqual([
    expect.stringMatching(/^warn mail from: resend\.dev mails only your own address \|/),
  ])
})

/** What is told of an account like this, a line each. */
async function told(account: StandInOptions, now = new Date()): Promise<string[]> {
  const resend = await startResendStandIn(account)
  afterTest(() => resend.close())
  return (await checkMail({ apiKey: 're_stand_in', baseUrl: resend.url, from: FROM, now })).map(asLine)
}

const asLine = ({ status, name, detail, mend }: Check) =>
  `${status} ${name}: ${detail}${mend ? ` | ${mend}` : ''}`
